/** Kafka's circuit breaker of one execution environment, and what the environments tell each other about it. */
import { kafkaAwaySignal, type LoadSignal } from "../../contracts/signals.ts";
import { CircuitBreaker } from "../../flow/breaker.ts";
import type { SignalsTable } from "../../runtime/signals.ts";
import { kafkaBreaker } from "./delivery.ts";

/** Telling is a kindness: a request does not wait longer for it. */
const TELL_TIMEOUT_MS = 300;

export class KafkaOutage {
  readonly breaker = new CircuitBreaker(kafkaBreaker);
  #seeded = false;

  /** A new environment need not find out for itself what the others know: it starts with their open breaker. */
  seed(signals: readonly LoadSignal[], nowMs: number): void {
    // Where the table was not read there is nothing yet to begin with.
    if (this.#seeded || signals.length === 0) return;
    this.#seeded = true;
    const away = signals.find(
      ({ stage, source }) => stage === kafkaAwaySignal.stage && source === kafkaAwaySignal.source,
    );
    // Not from then on: its trial would come at the same time as everyone's.
    if (away && nowMs - away.atMs < kafkaBreaker.openMs) this.breaker.trip(nowMs);
  }

  /** Never rejects: who cannot be told finds out. */
  async tell(table: Pick<SignalsTable, "write">, nowMs: number): Promise<void> {
    const signal = { ...kafkaAwaySignal, topics: [], load: 1, atMs: nowMs };
    await table.write(signal, AbortSignal.timeout(TELL_TIMEOUT_MS)).catch(() => undefined);
  }
}
