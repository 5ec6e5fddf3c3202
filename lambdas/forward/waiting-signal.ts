/** What a stream's function tells the flow control: since when a shard's oldest record waits. */
import type { KinesisStreamEvent } from "aws-lambda";
import { LATENCY_TARGET_MS, SIGNAL_INTERVAL_MS } from "../../contracts/signals.ts";
import { MAX_LOAD } from "../../flow/load-factor.ts";
import type { SignalsTable } from "../../runtime/signals.ts";

const WRITE_TIMEOUT_MS = 300;

export class WaitingSignal {
  readonly #mapping: string;
  readonly #table: Pick<SignalsTable, "write">;
  readonly #onFailure: (error: Error) => void;
  /** When each shard was told of last. */
  readonly #toldMs = new Map<string, number>();

  constructor(mapping: string, table: Pick<SignalsTable, "write">, onFailure: (error: Error) => void) {
    this.#mapping = mapping;
    this.#table = table;
    this.#onFailure = onFailure;
  }

  /** Never rejects. Often enough, and no oftener: an order to hold needs no more than the minute. */
  async tell(
    { Records }: KinesisStreamEvent,
    waitingSinceMs: number | undefined,
    nowMs: number,
  ): Promise<void> {
    // A mapping's batch is of one shard.
    const shard = Records[0]?.eventID.split(":")[0];
    if (shard === undefined || waitingSinceMs === undefined) return;
    if (nowMs - (this.#toldMs.get(shard) ?? Number.NEGATIVE_INFINITY) < SIGNAL_INTERVAL_MS) return;
    this.#toldMs.set(shard, nowMs);
    const load = Math.min(MAX_LOAD, Math.max(0, nowMs - waitingSinceMs) / LATENCY_TARGET_MS);
    // It names no topic: what waits in a stream must not make the door send more there.
    const signal = { stage: this.#mapping, source: shard, topics: [], load, atMs: nowMs, waitingSinceMs };
    await this.#table
      .write(signal, AbortSignal.timeout(WRITE_TIMEOUT_MS))
      .catch((error) => this.#onFailure(error as Error));
  }
}
