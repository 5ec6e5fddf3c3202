/** What each part is given, and the runs that they are made of. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../streams/engines.ts";
import type { Stream } from "../streams/events.ts";
import { type BenchPlatform, fillTopic } from "../streams/platform.ts";
import type { WindowCase } from "../streams/windows.ts";
import { Processor } from "./processor.ts";

export interface Measurement {
  readonly platform: BenchPlatform;
  /** The processor, with the cases' pipelines. */
  readonly bundle: string;
  /** Of Kafka Streams. */
  readonly jars: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const LOOK_INTERVAL_MS = 50;
/** No step takes so long on a machine that does anything else. */
const STEP_TIMEOUT_MS = 180_000;

/** Resolves once it holds. Rejects where that takes minutes, or with the signal's reason. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > STEP_TIMEOUT_MS) {
      throw new Error(`${what}: not within ${STEP_TIMEOUT_MS / 1_000} s`);
    }
    await delay(LOOK_INTERVAL_MS, undefined, { signal });
  }
}

/** The stream's first events are in its topic. What a part before this one added stays. */
export async function filled({ platform }: Measurement, stream: Stream, events: number): Promise<void> {
  await platform.broker.createTopics([stream.topic]);
  if ((await platform.broker.recordsIn(stream.topic)) > 0) return;
  await fillTopic(platform, stream, events, { withTimestamps: false, isClosed: false });
}

let runs = 0;

/** An engine at work on a case, in any number of processes of one group. */
export class Run {
  readonly engine: Engine;
  readonly windowCase: WindowCase;
  readonly resultsTopic: string;
  readonly #measurement: Measurement;
  readonly #name: string;
  readonly #processors: Processor[] = [];

  private constructor(measurement: Measurement, engine: Engine, windowCase: WindowCase) {
    this.#measurement = measurement;
    this.engine = engine;
    this.windowCase = windowCase;
    this.#name = `operation-${++runs}-${process.pid}`;
    this.resultsTopic = engine.resultsTopic(windowCase, this.#name);
  }

  static async open(measurement: Measurement, engine: Engine, windowCase: WindowCase): Promise<Run> {
    const run = new Run(measurement, engine, windowCase);
    await measurement.platform.broker.createTopics([run.resultsTopic]);
    return run;
  }

  /** One more process, with an empty disk. */
  start(): Processor {
    const { broker, directory } = this.#measurement.platform;
    const processor = new Processor(this.engine, this.windowCase, {
      bootstrapServers: broker.bootstrapServers,
      run: this.#name,
      directory: mkdtempSync(join(directory, `${this.#name}-`)),
      topic: this.windowCase.stream.topic,
    });
    this.#processors.push(processor);
    return processor;
  }

  /** How many events are in the case's topic. */
  recordsWaiting(): Promise<number> {
    return this.#measurement.platform.broker.recordsIn(this.windowCase.stream.topic);
  }

  /** How many of them are committed; null where the broker cannot tell yet. */
  committed(): Promise<number | null> {
    const { broker } = this.#measurement.platform;
    return broker.committed(this.engine.group(this.windowCase, this.#name), this.windowCase.stream.topic);
  }

  untilCommitted(events: number): Promise<void> {
    return this.#untilAlive(`${events} events`, async () => ((await this.committed()) ?? 0) >= events);
  }

  /** Resolves once the results topic has so many records, those of transactions' ends among them. */
  untilWritten(results: number): Promise<void> {
    const { broker } = this.#measurement.platform;
    return this.#untilAlive(
      `${results} results`,
      async () => (await broker.recordsIn(this.resultsTopic)) >= results,
    );
  }

  /** Resolves once all that is in the topic now is committed, with the number of it. */
  async untilCaughtUp(): Promise<number> {
    const events = await this.recordsWaiting();
    await this.untilCommitted(events);
    return events;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processors.map(({ child }) => child.kill()));
    await this.#measurement.platform.broker.deleteTopicsOf(this.#name, this.resultsTopic);
  }

  #untilAlive(what: string, holds: () => Promise<boolean>): Promise<void> {
    const holdsAlive = (): Promise<boolean> => {
      if (this.#processors.every(({ child }) => child.hasEnded)) {
        throw new Error(this.#processors.at(-1)?.child.failure ?? "nothing was started");
      }
      return holds();
    };
    return until(`${what} of ${this.windowCase.title}`, holdsAlive, this.#measurement.signal);
  }
}
