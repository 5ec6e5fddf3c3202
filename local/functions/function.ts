import { Environment, type FunctionDefinition, type FunctionRun, type Outcome } from "./environment.ts";
import type { FunctionError } from "./protocol.ts";
import { MAX_PAYLOAD_BYTES } from "./protocol.ts";

/** Lambda keeps an idle environment for a while that it does not promise; minutes is what is seen. */
const IDLE_MS = 5 * 60_000;

export type InvokeResult =
  | {
      readonly kind: "answer";
      readonly payload: string;
      /** How long the init phase took of the environment that was started for it. @default one was there */
      readonly initMs?: number | undefined;
    }
  | { readonly kind: "error"; readonly error: FunctionError }
  /** Lambda's 429: no environment was free and no more may be started. */
  | { readonly kind: "throttled" }
  /** Lambda's 413: the request is over its 6 MB. */
  | { readonly kind: "too-large" };

/** The concurrency that functions without a reservation share. */
export class UnreservedConcurrency {
  readonly limit: number;
  inUse = 0;

  constructor(limit: number) {
    this.limit = limit;
  }
}

/** A function: its execution environments, made on demand, reused while they live. */
export class LambdaFunction {
  readonly definition: FunctionDefinition;
  readonly #run: FunctionRun;
  readonly #unreserved: UnreservedConcurrency;
  readonly #busy = new Set<Environment>();
  /** The last one used is taken first, as Lambda seems to, so that the others can go idle. */
  readonly #idle: { readonly environment: Environment; readonly reaper: NodeJS.Timeout }[] = [];
  coldStarts = 0;
  errors = 0;
  throttles = 0;

  constructor(definition: FunctionDefinition, run: FunctionRun, unreserved: UnreservedConcurrency) {
    this.definition = definition;
    this.#run = run;
    this.#unreserved = unreserved;
  }

  get pids(): number[] {
    return [...this.#busy, ...this.#idle.map(({ environment }) => environment)]
      .filter(({ running }) => running)
      .map(({ pid }) => pid ?? 0);
  }

  /** Invokes synchronously with a JSON text. Never rejects: every way it can end is in the result. */
  async invoke(payload: string): Promise<InvokeResult> {
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) return { kind: "too-large" };
    if (!this.#reserve()) {
      this.throttles++;
      return { kind: "throttled" };
    }
    const environment = this.#take();
    this.#busy.add(environment);
    let outcome: Outcome;
    try {
      outcome = await environment.invoke(payload);
    } finally {
      this.#busy.delete(environment);
      this.#release();
      if (environment.running) this.#park(environment);
    }
    if (!outcome.ok) {
      this.errors++;
      return { kind: "error", error: outcome.error };
    }
    if (Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
      return { kind: "error", error: { errorType: "Function.ResponseSizeTooLarge", errorMessage } };
    }
    return { kind: "answer", payload: outcome.payload, initMs: outcome.initMs };
  }

  async stop(): Promise<void> {
    const environments = [...this.#busy, ...this.#idle.map(({ environment }) => environment)];
    for (const { reaper } of this.#idle) clearTimeout(reaper);
    await Promise.all(environments.map((environment) => environment.stop()));
  }

  #reserve(): boolean {
    const { reservedConcurrency } = this.definition;
    if (reservedConcurrency !== undefined) return this.#busy.size < reservedConcurrency;
    if (this.#unreserved.inUse >= this.#unreserved.limit) return false;
    this.#unreserved.inUse++;
    return true;
  }

  #release(): void {
    if (this.definition.reservedConcurrency === undefined) this.#unreserved.inUse--;
  }

  #take(): Environment {
    for (;;) {
      const warm = this.#idle.pop();
      if (warm === undefined) break;
      clearTimeout(warm.reaper);
      if (warm.environment.running) return warm.environment;
    }
    this.coldStarts++;
    return new Environment(this.definition, this.#run);
  }

  #park(environment: Environment): void {
    const reaper = setTimeout(() => {
      const index = this.#idle.findIndex((entry) => entry.environment === environment);
      if (index >= 0) this.#idle.splice(index, 1);
      void environment.stop();
    }, IDLE_MS);
    // A parked environment must not keep a finished platform alive.
    reaper.unref();
    this.#idle.push({ environment, reaper });
  }
}
