/** Keeps the spans that have ended until somebody sends them: bounded, and sent with a deadline, so that no trace costs more. */
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** Some 1 kB each as JSON, and 0.13 kB a link beyond the first. X-Ray takes 10,000 spans and 5 MB at once. */
const MAX_SPANS = 512;
/** How long nothing is sent after a failure: an endpoint that is away is asked for little, whatever happens here. */
const PAUSE_MS = 30_000;

/** Sends spans; rejects where they were not taken, or not until the signal's deadline. */
export type SendSpans = (spans: readonly ReadableSpan[], deadline: AbortSignal) => Promise<void>;

export interface SpanBufferPorts {
  readonly send: SendSpans;
  /** Told of spans that nobody will see, and why. */
  readonly onLost: (spans: number, cause: Error) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class SpanBuffer implements SpanProcessor {
  readonly #ports: SpanBufferPorts;
  #spans: ReadableSpan[] = [];
  #dropped = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #lastFailure: Error | undefined;

  constructor(ports: SpanBufferPorts) {
    this.#ports = ports;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#spans.length < MAX_SPANS) this.#spans.push(span);
    else this.#dropped += 1;
  }

  /** Sends what there is, in as much time as is given at the most; what is not taken is lost. Never rejects. */
  async send(timeoutMs: number): Promise<void> {
    const spans = this.#spans;
    const dropped = this.#dropped;
    this.#spans = [];
    this.#dropped = 0;
    if (dropped > 0) this.#ports.onLost(dropped, new Error(`More than ${MAX_SPANS} spans ended meanwhile.`));
    if (spans.length === 0) return;
    if (this.#lastFailure && this.#ports.now() < this.#pausedUntilMs) {
      return this.#ports.onLost(spans.length, this.#lastFailure);
    }
    try {
      await this.#ports.send(spans, AbortSignal.timeout(timeoutMs));
    } catch (error) {
      this.#lastFailure = error as Error;
      this.#pausedUntilMs = this.#ports.now() + PAUSE_MS;
      this.#ports.onLost(spans.length, this.#lastFailure);
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
