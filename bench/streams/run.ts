/** One engine on one case, from its start until everything is committed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchBroker } from "./broker.ts";
import { type Difference, differenceOf } from "./compare.ts";
import type { Engine } from "./engines.ts";
import { type Figures, figuresOf, type Mark } from "./figures.ts";
import { BenchProcess, type Command } from "./process.ts";
import type { Results } from "./reference.ts";
import type { WindowCase } from "./windows.ts";

const LOOK_INTERVAL_MS = 50;
/**
 * Longer than between two commits of many results on a busy machine, and than the second in which an engine looks for
 * windows to close but once.
 */
const QUIET_S = 10;

export interface RunOptions {
  readonly broker: BenchBroker;
  readonly directory: string;
  /** Events in the topic, the closing ones not counted. */
  readonly events: number;
  readonly coldEvents: number;
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly figures: Figures;
  /** Rows that are not what they have to be; null where the results were not read. */
  readonly difference: Difference | null;
}

let runs = 0;
let closingRounds = 0;

/**
 * @param expected what the results are held against; null: they are not read
 * @throws Error where the engine ends before it is done
 */
export async function runEngine(
  engine: Engine,
  windowCase: WindowCase,
  options: RunOptions,
  expected: (() => Results) | null,
): Promise<Outcome> {
  const { broker, signal } = options;
  const { topic } = windowCase.stream;
  const run = `run-${++runs}-${process.pid}`;
  const directory = join(options.directory, run);
  mkdirSync(directory);
  const results = engine.resultsTopic(windowCase, run);
  await broker.createTopics([results]);
  const place = { bootstrapServers: broker.bootstrapServers, run, directory, topic };
  const child = new BenchProcess(engine.command(windowCase, place));
  try {
    const group = engine.group(windowCase, run);
    const marks: Mark[] = [];
    const reach = async (events: number): Promise<void> => {
      for (let before = marks.at(-1)?.events ?? 0; before < events; ) {
        await delay(LOOK_INTERVAL_MS, undefined, { signal });
        const cpuS = child.cpuS();
        const committed = await broker.committed(group, topic);
        if (committed === null || committed === before) continue;
        marks.push({ events: committed, cpuS, wallS: child.wallS });
        before = committed;
      }
    };
    await reach(await broker.recordsIn(topic));
    let last = await settled(child, broker, results, marks.at(-1)!, signal);
    if (engine.closesOnceASecond) {
      await broker.appendClosing(topic, options.events, ++closingRounds);
      const appendedS = child.wallS;
      await reach(await broker.recordsIn(topic));
      const after = await settled(child, broker, results, marks.at(-1)!, signal);
      // The wait in between was the benchmark's.
      last = { ...after, wallS: last.wallS + after.wallS - appendedS };
    }
    await child.stop();
    const figures = figuresOf(
      [...marks.filter(({ events }) => events < last.events), last],
      options.coldEvents,
      child.peakRssMib,
    );
    if (expected === null) return { figures, difference: null };
    const actual = await broker.readResults(results, engine, signal);
    return { figures, difference: differenceOf(expected(), actual) };
  } finally {
    await child.kill();
    await broker.deleteTopicsOf(run);
  }
}

/**
 * The end of the run, from the moment on at which all was read and committed: many results come in several commits, so when
 * the last of them was written.
 */
async function settled(
  child: BenchProcess,
  broker: BenchBroker,
  topic: string,
  end: Mark,
  signal: AbortSignal,
): Promise<Mark> {
  let last = end;
  for (let written = await broker.recordsIn(topic); child.wallS - last.wallS < QUIET_S; ) {
    await delay(LOOK_INTERVAL_MS, undefined, { signal });
    const cpuS = child.cpuS();
    const now = await broker.recordsIn(topic);
    if (now === written) continue;
    last = { ...last, cpuS, wallS: child.wallS };
    written = now;
  }
  return last;
}

/** A program that tells its own marks, a line of JSON each, and ends with the last of them. */
export async function runLimit(command: Command, coldEvents: number, signal: AbortSignal): Promise<Figures> {
  const marks: Mark[] = [];
  const child = new BenchProcess(command, (line) => marks.push(JSON.parse(line) as Mark));
  const abort = (): void => void child.kill();
  signal.addEventListener("abort", abort);
  // The most memory is known as long as the process is there.
  const looking = setInterval(() => {
    if (!child.hasEnded) child.cpuS();
  }, LOOK_INTERVAL_MS);
  try {
    await child.ended;
    signal.throwIfAborted();
    if (marks.length < 2) throw new Error(child.failure);
    return figuresOf(marks, coldEvents, child.peakRssMib);
  } finally {
    clearInterval(looking);
    signal.removeEventListener("abort", abort);
  }
}
