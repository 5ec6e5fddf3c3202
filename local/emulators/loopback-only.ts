/**
 * Preloaded into emulators that would listen on every interface of the machine: makes each server of the process
 * listen on loopback, whatever host it asked for.
 */
import { Server } from "node:net";

type Listen = (this: Server, ...args: unknown[]) => Server;

const prototype = Server.prototype as unknown as { listen: Listen };
const listen = prototype.listen;

prototype.listen = function (first, ...rest) {
  if (typeof first === "number") {
    return listen.call(this, { port: first, host: "127.0.0.1" }, ...rest.filter(isCallback));
  }
  const options = typeof first === "object" && first !== null && "port" in first;
  return listen.call(this, options ? { ...first, host: "127.0.0.1" } : first, ...rest);
};

const isCallback = (argument: unknown): boolean => typeof argument === "function";
