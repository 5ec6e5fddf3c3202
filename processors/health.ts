/**
 * Whether a processor does its work, for the container's health check: healthcheck.mjs asks through a socket. That it is
 * answered at all says that the event loop turns. What a dependency does is no ill health, since a fresh process would
 * meet the same: while something is retried, a task may be as late as it likes.
 */
import { createServer, type Server } from "node:net";
import type { Clock, Observer, TaskVitals } from "./engine/worker/ports.ts";

/** Longer than a join that waits for a slow member, and than any outage after which a client finds back by itself. */
const MAX_OUT_OF_GROUP_MS = 10 * 60_000;
/** How much later than it is due a checkpoint may come. */
const MAX_CHECKPOINT_DELAY_MS = 5 * 60_000;
/** Retries come much more often than this. */
const RETRYING_MS = 60_000;

/** What it asks of each worker. */
export interface Watched {
  /** Whether it is a member of its group, with an assignment, be it an empty one. */
  readonly inGroup: boolean;
  vitals(): readonly TaskVitals[];
}

export class Health {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #maxUncommittedMs: number;
  readonly #workers = new Map<string, Watched>();
  readonly #lastInGroupMs = new Map<string, number>();
  #lastRetryMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "nowMs">, checkpointIntervalMs: number) {
    this.#clock = clock;
    this.#maxUncommittedMs = checkpointIntervalMs + MAX_CHECKPOINT_DELAY_MS;
  }

  /** From now on the health of the worker that runs a stage counts. */
  watch(stage: string, worker: Watched): void {
    this.#workers.set(stage, worker);
    this.#lastInGroupMs.set(stage, this.#clock.nowMs());
  }

  /** The observer, which is told of retries. */
  observing(observer: Observer): Observer {
    return {
      ...observer,
      retried: (task, action, error) => {
        this.#lastRetryMs = this.#clock.nowMs();
        observer.retried(task, action, error);
      },
    };
  }

  /** What is wrong, in a sentence; undefined where nothing is. To be asked at least every minute. */
  problem(): string | undefined {
    const nowMs = this.#clock.nowMs();
    const isRetrying = nowMs - this.#lastRetryMs < RETRYING_MS;
    for (const [stage, worker] of this.#workers) {
      if (worker.inGroup) this.#lastInGroupMs.set(stage, nowMs);
      const outMs = nowMs - this.#lastInGroupMs.get(stage)!;
      if (outMs > MAX_OUT_OF_GROUP_MS) {
        return `${stage} has not been in its consumer group for ${Math.round(outMs / 1_000)} s`;
      }
      const stuck = worker.vitals().find(({ uncommittedMs }) => uncommittedMs > this.#maxUncommittedMs);
      if (stuck !== undefined && !isRetrying) {
        return `${stage}/${stuck.partition} has not committed for ${Math.round(stuck.uncommittedMs / 1_000)} s, and retries nothing`;
      }
    }
    return undefined;
  }
}

/**
 * The socket's name in Linux' abstract namespace: no file, so that the root file system stays read-only, and no port, so
 * that any number of processors run on one machine. healthcheck.mjs makes the same of the id that it is given.
 */
export const healthSocket = (pid: number): string => `\0spillway-processor-${pid}`;

/** Answers everyone who connects with `ok`, or with what is wrong. */
export function serveHealth(health: Pick<Health, "problem">, pid: number): Server {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(health.problem() ?? "ok");
  });
  server.listen(healthSocket(pid));
  // Health is nothing to live for.
  server.unref();
  return server;
}
