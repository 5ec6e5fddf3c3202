import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Child } from "../processes/child.ts";
import type { BootstrapMessage, FunctionError, Invocation } from "./protocol.ts";

const BOOTSTRAP = join(import.meta.dirname, "bootstrap.ts");
/** Lambda ends an init phase after 10 s (Lambda, execution environment lifecycle). */
const INIT_TIMEOUT_MS = 10_000;
/** The rest of the memory is the runtime's own and the buffers outside V8's heap. */
const HEAP_SHARE = 0.9;

export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** `file.export`, relative to `directory`. */
  readonly handler: string;
  /** The asset: what Lambda would unzip into /var/task. */
  readonly directory: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: shares the account's unreserved concurrency. */
  readonly reservedConcurrency?: number;
}

/** What a run has for a function, beside its definition. */
export interface FunctionRun {
  readonly logFile: string;
  readonly verbose: boolean;
  /** Directory where environments leave the code that they have compiled, for those that start after them. */
  readonly compileCache: string;
}

export type Outcome =
  | { readonly ok: true; readonly payload: string }
  | { readonly ok: false; readonly error: FunctionError };

/** One execution environment: a process that has loaded the handler and takes one invocation at a time. */
export class Environment {
  readonly #child: Child;
  readonly #definition: FunctionDefinition;
  /** Resolves once it takes invocations, or with why it never will. */
  readonly initialized: Promise<FunctionError | undefined>;
  #waiting: ((outcome: Outcome) => void) | undefined;
  /** Set before the kill, whose exit is seen only later: such a process must not be handed out again. */
  #retired = false;

  constructor(definition: FunctionDefinition, { logFile, verbose, compileCache }: FunctionRun) {
    this.#definition = definition;
    this.#child = new Child({
      name: definition.name,
      command: process.execPath,
      args: [`--max-old-space-size=${Math.floor(definition.memoryMb * HEAP_SHARE)}`, BOOTSTRAP],
      environment: {
        NODE_COMPILE_CACHE: compileCache,
        ...definition.environment,
        ...runtimeEnvironment(definition),
      },
      directory: definition.directory,
      logFile,
      verbose,
      channel: true,
    });
    this.initialized = this.#init();
    void this.#child.exited.then(({ code, signal }) => {
      this.#settle({
        ok: false,
        error: {
          errorType: "Runtime.ExitError",
          errorMessage: `Runtime exited: ${signal ?? `status ${code}`}`,
        },
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return !this.#retired && this.#child.running;
  }

  /** Runs one invocation, once it is initialized. After a timeout the process is gone and must not be used again. */
  async invoke(payload: string): Promise<Outcome> {
    const { timeoutMs, arn } = this.#definition;
    const invocation: Invocation = {
      requestId: randomUUID(),
      payload,
      deadlineMs: Date.now() + timeoutMs,
      functionArn: arn,
    };
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#retired = true;
        this.#settle({ ok: false, error: timedOut(invocation.requestId, timeoutMs) });
        this.#child.signal("SIGKILL");
      }, timeoutMs);
      this.#waiting = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      if (!this.#child.running) this.#settle({ ok: false, error: exited });
      this.#child.send(invocation);
    });
  }

  async stop(): Promise<void> {
    // Lambda gives a function without extensions no notice either.
    await this.#child.kill();
  }

  /** A process whose init fails is ended. */
  async #init(): Promise<FunctionError | undefined> {
    const error = await this.#initOutcome();
    if (error !== undefined) await this.#child.kill();
    return error;
  }

  #initOutcome(): Promise<FunctionError | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve({ errorType: "Runtime.InitTimeout", errorMessage: `Init took over ${INIT_TIMEOUT_MS} ms` });
      }, INIT_TIMEOUT_MS);
      const finish = (error?: FunctionError): void => {
        clearTimeout(timer);
        resolve(error);
      };
      this.#child.onMessage((message) => {
        const received = message as BootstrapMessage;
        switch (received.kind) {
          case "ready":
            return finish();
          case "init-failed":
            return finish(received.error);
          case "answer":
            return this.#settle({ ok: true, payload: received.payload });
          case "failed":
            return this.#settle({ ok: false, error: received.error });
        }
      });
      void this.#child.exited.then(() => finish(exited));
    });
  }

  #settle(outcome: Outcome): void {
    this.#waiting?.(outcome);
    this.#waiting = undefined;
  }
}

const exited: FunctionError = {
  errorType: "Runtime.ExitError",
  errorMessage: "Runtime exited before it answered",
};

const timedOut = (requestId: string, timeoutMs: number): FunctionError => ({
  errorType: "Sandbox.Timedout",
  errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
});

/** What Lambda itself sets (Lambda, defined runtime environment variables). */
function runtimeEnvironment({
  name,
  handler,
  directory,
  memoryMb,
}: FunctionDefinition): Record<string, string> {
  return {
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: directory,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${randomUUID().replaceAll("-", "")}`,
  };
}
