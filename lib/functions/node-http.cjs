/**
 * `node:http` for bundles (bundle.ts). Who imports it as an ES module reads all of its exports, among them `WebSocket` and
 * two more that load Node's whole fetch implementation when they are read: about a tenth of a function's start.
 */
module.exports = process.getBuiltinModule("node:http");
