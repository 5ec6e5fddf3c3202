/**
 * The runtime inside an execution environment: loads the handler that `_HANDLER` names from LAMBDA_TASK_ROOT, as
 * Lambda's Node.js runtime does, then answers one invocation at a time.
 */
import { existsSync } from "node:fs";
import { flushCompileCache, registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BootstrapMessage, FunctionError, Invocation } from "./protocol.ts";

type Handler = (event: unknown, context: object) => unknown;

const EXTENSIONS = [".js", ".mjs", ".cjs"];

// Lambda's runtime carries AWS SDK v3 for bundles that leave it out; this checkout's install stands in for it.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (!/^@(aws-sdk|smithy)\//.test(specifier)) throw error;
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});

async function loadHandler(): Promise<Handler> {
  const { _HANDLER = "", LAMBDA_TASK_ROOT = "" } = process.env;
  const dot = _HANDLER.lastIndexOf(".");
  const base = join(LAMBDA_TASK_ROOT, _HANDLER.slice(0, dot));
  const name = _HANDLER.slice(dot + 1);
  const file = EXTENSIONS.map((extension) => base + extension).find((path) => existsSync(path));
  if (file === undefined) throw named("Runtime.ImportModuleError", `Cannot find module '${base}'`);
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  // A CommonJS bundle's exports are not always seen as names of the module; its default export has them all.
  const handler = module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
  if (typeof handler !== "function") {
    throw named("Runtime.HandlerNotFound", `${_HANDLER} is undefined or not exported`);
  }
  return handler as Handler;
}

function contextOf({ requestId, deadlineMs, functionArn }: Invocation): object {
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

async function answer(handler: Handler, invocation: Invocation): Promise<BootstrapMessage> {
  const { requestId } = invocation;
  try {
    const result = await handler(JSON.parse(invocation.payload), contextOf(invocation));
    return { kind: "answer", requestId, payload: JSON.stringify(result ?? null) };
  } catch (error) {
    console.error(`Invoke Error ${requestId}`, error);
    return { kind: "failed", requestId, error: describe(error) };
  }
}

function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split("\n") ?? [],
  };
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

const send = (message: BootstrapMessage): void => {
  process.send?.(message);
};

process.on("disconnect", () => process.exit(0));
try {
  const handler = await loadHandler();
  let answers = 0;
  process.on("message", async (invocation: Invocation) => {
    send(await answer(handler, invocation));
    // By then most of what is needed is compiled. At its end Node would do it, but SIGKILL is how an environment ends.
    if (answers++ === 0) flushCompileCache();
  });
  send({ kind: "ready" });
} catch (error) {
  console.error("Init Error", error);
  send({ kind: "init-failed", error: describe(error) });
}
