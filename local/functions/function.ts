import type { Environment, FunctionDefinition, Outcome } from "./environment.ts";
import type { FunctionError } from "./protocol.ts";
import { MAX_PAYLOAD_BYTES } from "./protocol.ts";

/** Lambda keeps an idle environment for a while that it does not promise; minutes is what is seen. */
const IDLE_MS = 5 * 60_000;

export type InvokeResult =
  | {
      readonly kind: "answer";
      readonly payload: string;
      /** How long it waited for an environment to start. @default for none: one was idle, or became so before */
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

/** What became of a request that found no environment idle. */
interface Acquired {
  readonly environment: Environment;
  readonly initMs?: number;
}

interface Waiting {
  readonly sinceMs: number;
  readonly resolve: (acquired: Acquired | FunctionError) => void;
}

/**
 * A function: its execution environments, made on demand, reused while they live. A request that finds none idle has one
 * started, and is given whichever is free first, that one or another: Lambda "can use" one that becomes available while it
 * initializes a new one (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html); here it always does.
 */
export class LambdaFunction {
  readonly definition: FunctionDefinition;
  readonly #start: () => Environment;
  readonly #unreserved: UnreservedConcurrency;
  readonly #initializing = new Set<Environment>();
  readonly #busy = new Set<Environment>();
  /** In the order in which they came. There are never more of them than environments that initialize. */
  readonly #waiting: Waiting[] = [];
  /** The last one used is taken first, as Lambda seems to, so that the others can go idle. */
  readonly #idle: { readonly environment: Environment; readonly reaper: NodeJS.Timeout }[] = [];
  #inFlight = 0;
  coldStarts = 0;
  errors = 0;
  throttles = 0;

  constructor(definition: FunctionDefinition, start: () => Environment, unreserved: UnreservedConcurrency) {
    this.definition = definition;
    this.#start = start;
    this.#unreserved = unreserved;
  }

  get pids(): number[] {
    return this.#environments.filter(({ running }) => running).map(({ pid }) => pid ?? 0);
  }

  /** Invokes synchronously with a JSON text. Never rejects: every way it can end is in the result. */
  async invoke(payload: string): Promise<InvokeResult> {
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) return { kind: "too-large" };
    if (!this.#reserve()) {
      this.throttles++;
      return { kind: "throttled" };
    }
    const { outcome, initMs } = await this.#run(payload).finally(() => this.#release());
    if (!outcome.ok) {
      this.errors++;
      return { kind: "error", error: outcome.error };
    }
    if (Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
      return { kind: "error", error: { errorType: "Function.ResponseSizeTooLarge", errorMessage } };
    }
    return { kind: "answer", payload: outcome.payload, initMs };
  }

  async stop(): Promise<void> {
    for (const { reaper } of this.#idle) clearTimeout(reaper);
    await Promise.all(this.#environments.map((environment) => environment.stop()));
  }

  get #environments(): Environment[] {
    return [...this.#initializing, ...this.#busy, ...this.#idle.map(({ environment }) => environment)];
  }

  async #run(payload: string): Promise<{ readonly outcome: Outcome; readonly initMs?: number | undefined }> {
    const acquired = await this.#acquire();
    if ("errorType" in acquired) return { outcome: { ok: false, error: acquired } };
    const { environment, initMs } = acquired;
    this.#busy.add(environment);
    try {
      return { outcome: await environment.invoke(payload), initMs };
    } finally {
      this.#busy.delete(environment);
      if (environment.running) this.#offer(environment);
    }
  }

  #reserve(): boolean {
    const { reservedConcurrency } = this.definition;
    if (reservedConcurrency !== undefined) {
      if (this.#inFlight >= reservedConcurrency) return false;
    } else {
      if (this.#unreserved.inUse >= this.#unreserved.limit) return false;
      this.#unreserved.inUse++;
    }
    this.#inFlight++;
    return true;
  }

  #release(): void {
    this.#inFlight--;
    if (this.definition.reservedConcurrency === undefined) this.#unreserved.inUse--;
  }

  async #acquire(): Promise<Acquired | FunctionError> {
    for (;;) {
      const warm = this.#idle.pop();
      if (warm === undefined) break;
      clearTimeout(warm.reaper);
      if (warm.environment.running) return { environment: warm.environment };
    }
    return new Promise((resolve) => {
      this.#waiting.push({ sinceMs: performance.now(), resolve });
      // One that was started for a request which another has served meanwhile does for this one.
      if (this.#initializing.size < this.#waiting.length) this.#initialize();
    });
  }

  #initialize(): void {
    this.coldStarts++;
    const environment = this.#start();
    this.#initializing.add(environment);
    void environment.initialized.then((error) => {
      this.#initializing.delete(environment);
      const next = this.#waiting.shift();
      if (error !== undefined) next?.resolve(error);
      else if (next === undefined) this.#park(environment);
      else next.resolve({ environment, initMs: performance.now() - next.sinceMs });
    });
  }

  /** To who has waited for longest, or else to those that come. */
  #offer(environment: Environment): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#park(environment);
    else next.resolve({ environment });
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
