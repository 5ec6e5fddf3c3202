/**
 * The container's health check: `node healthcheck.mjs [pid]` asks the processor how it is (health.ts), and exits with 0
 * where it answers `ok`. In the container it is process 1.
 */
import { connect } from "node:net";

const TIMEOUT_MS = 4_000;

const [pid = "1"] = process.argv.slice(2);
let answer = "";

const socket = connect(`\0spillway-processor-${pid}`);
socket.setEncoding("utf8");
socket.setTimeout(TIMEOUT_MS, () => end("no answer in time"));
socket.on("error", (error) => end(error.message));
socket.on("data", (text) => {
  answer += text;
});
socket.on("end", () => end(answer));

function end(reason) {
  if (reason !== "ok") console.error(reason);
  process.exit(reason === "ok" ? 0 : 1);
}
