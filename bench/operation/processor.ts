/** A processor at work, and what it says of itself: its log, its metrics and the probe of its main thread. */
import { join } from "node:path";
import { metrics } from "../../contracts/metrics.ts";
import { type Engine, type Place, spillway } from "../streams/engines.ts";
import type { BenchPlatform } from "../streams/platform.ts";
import { BenchProcess } from "../streams/process.ts";
import type { WindowCase } from "../streams/windows.ts";
import type { Pause, ProbeLine } from "./loop-probe.ts";

/** Of a task, as its log tells it. */
export interface Recovered {
  readonly pipeline: string;
  readonly partition: number;
  readonly recoveryMs: number;
}

/** What was seen of the main thread. */
export interface Watched {
  readonly spanMs: number;
  readonly pauses: readonly Pause[];
  readonly collectionsMs: readonly number[];
}

/** The processor's bundle under the probe. */
export const probed = (bundle: string, { env }: BenchPlatform): Engine =>
  spillway({ bundle, env, flags: ["--import", join(import.meta.dirname, "loop-probe.ts")] });

export class Processor {
  readonly child: BenchProcess;
  readonly recovered: Recovered[] = [];
  #lines: ProbeLine[] = [];
  /** Values of metrics, by the stage and the metric's name. */
  readonly #values = new Map<string, number[]>();

  constructor(engine: Engine, windowCase: WindowCase, place: Place) {
    this.child = new BenchProcess(engine.command(windowCase, place), (line) => this.#read(line));
  }

  /** What the probe saw since this was asked last; it tells once a second. */
  takeWatched(): Watched {
    const lines = this.#lines;
    this.#lines = [];
    return {
      spanMs: lines.reduce((sum, { spanMs }) => sum + spanMs, 0),
      pauses: lines.flatMap(({ pauses }) => pauses),
      collectionsMs: lines.flatMap(({ collectionsMs }) => collectionsMs),
    };
  }

  /** Of a stage, since its start: at most 50 that stand for all of each 10 seconds; all of them once it has ended. */
  metric(stage: string, name: keyof typeof metrics.processor): readonly number[] {
    return this.#values.get(`${stage} ${metrics.processor[name]}`) ?? [];
  }

  /** Forgets the metrics so far. */
  forgetMetrics(): void {
    this.#values.clear();
  }

  #read(text: string): void {
    const line = parsed(text);
    if ("probe" in line) this.#lines.push(line.probe as ProbeLine);
    if (line.message === "task recovered") this.recovered.push(line as unknown as Recovered);
    if ("_aws" in line) this.#readMetrics(line);
  }

  #readMetrics(line: Record<string, unknown>): void {
    for (const name of Object.values(metrics.processor)) {
      const values = line[name];
      if (values === undefined) continue;
      const key = `${String(line.stage)} ${name}`;
      this.#values.set(key, [...(this.#values.get(key) ?? []), ...[values].flat().map(Number)]);
    }
  }
}

/** Node's own lines are no JSON. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
