/** What is on the topic and what the pipeline has committed, second by second; nothing while Kafka is away. */
import type { GroupProgress } from "../demo/group.ts";
import { totalOf } from "../demo/topic-reader.ts";

const INTERVAL_MS = 1_000;

export interface Sample {
  readonly onTopic: number | undefined;
  readonly committed: number | undefined;
}

export class Sampler {
  readonly samples: Sample[] = [];
  readonly #progress: GroupProgress;
  readonly #timer: NodeJS.Timeout;
  #asking = false;
  #latest: Sample = { onTopic: undefined, committed: undefined };

  constructor(progress: GroupProgress) {
    this.#progress = progress;
    this.#timer = setInterval(() => void this.#sample(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #sample(): Promise<void> {
    this.samples.push(this.#latest);
    this.#latest = { onTopic: undefined, committed: undefined };
    // An answer that takes longer than a second belongs to no second.
    if (this.#asking) return;
    this.#asking = true;
    try {
      const [ends, committed] = [await this.#progress.ends(), await this.#progress.committed()];
      this.#latest = { onTopic: totalOf(ends), committed: totalOf(committed) };
    } catch {
      // Kafka is away.
    }
    this.#asking = false;
  }
}
