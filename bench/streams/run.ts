/** One engine on one case, from its start until everything is committed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchBroker } from "./broker.ts";
import type { Difference } from "./compare.ts";
import type { Engine } from "./engines.ts";
import { type Figures, figuresOf, type Mark } from "./figures.ts";
import { BenchProcess, type Command } from "./process.ts";
import type { Results } from "./reference.ts";
import { ResultsSoFar } from "./results.ts";
import type { WindowCase } from "./windows.ts";

const LOOK_INTERVAL_MS = 50;
/** Silence after which results that are missing are taken for lost: longer than between two commits on a busy machine. */
const MAX_SILENCE_S = 15;
/** Of an engine that looks for windows to close once a second, after which what is missing waits for one more event. */
const CLOSING_SILENCE_S = 3;

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
  /** Rows that are not what they have to be; null of a limit, which has none. */
  readonly difference: Difference | null;
}

let runs = 0;
let closingRounds = 0;

/** What is being run. */
interface Run {
  readonly engine: Engine;
  readonly child: BenchProcess;
  readonly options: RunOptions;
  /** Of the events. */
  readonly topic: string;
  readonly group: string;
  readonly resultsTopic: string;
  readonly found: ResultsSoFar;
  readonly marks: Mark[];
}

/**
 * It ends with its last result: they are read from when all events are committed on, until all that are expected came.
 * @throws Error where the engine ends before it is done
 */
export async function runEngine(
  engine: Engine,
  windowCase: WindowCase,
  options: RunOptions,
  expected: () => Results,
): Promise<Outcome> {
  const { broker } = options;
  const { topic } = windowCase.stream;
  const run = `run-${++runs}-${process.pid}`;
  const directory = join(options.directory, run);
  mkdirSync(directory);
  const resultsTopic = engine.resultsTopic(windowCase, run);
  // Before it is started: what is expected takes a while to calculate.
  const found = new ResultsSoFar(engine, expected());
  await broker.createTopics([resultsTopic]);
  const place = { bootstrapServers: broker.bootstrapServers, run, directory, topic };
  const child = new BenchProcess(engine.command(windowCase, place));
  const group = engine.group(windowCase, run);
  try {
    return await measured({ engine, child, options, topic, group, resultsTopic, found, marks: [] });
  } finally {
    await child.kill();
    await broker.deleteTopicsOf(run, resultsTopic);
  }
}

async function measured(run: Run): Promise<Outcome> {
  const { child, resultsTopic, found, marks, options } = run;
  const { broker, coldEvents, signal } = options;
  await reachEnd(run);
  const following = broker.follow({
    topic: resultsTopic,
    from: "start",
    onMessages: (messages) => found.add(messages),
  });
  // It is awaited below; the looks at what is written begin at once.
  following.catch(() => undefined);
  try {
    const last = await lastResult(run);
    await child.stop();
    const figures = figuresOf(
      [...marks.filter(({ events }) => events < last.events), last],
      coldEvents,
      child.peakRssMib,
    );
    // One that is too many may have been written behind the last that was expected.
    const [follower, ends] = [await following, await broker.endsOf(resultsTopic)];
    while (!follower.hasReached(ends)) await delay(LOOK_INTERVAL_MS, undefined, { signal });
    return { figures, difference: found.difference() };
  } finally {
    await (await following).stop();
  }
}

/** Resolves once the group has committed all that is in the topic now. */
async function reachEnd({ child, topic, group, marks, options: { broker, signal } }: Run): Promise<void> {
  const events = await broker.recordsIn(topic);
  for (let before = marks.at(-1)?.events ?? 0; before < events; ) {
    await delay(LOOK_INTERVAL_MS, undefined, { signal });
    const cpuS = child.cpuS();
    const committed = await broker.committed(group, topic);
    if (committed === null || committed === before) continue;
    marks.push({ events: committed, cpuS, wallS: child.wallS });
    before = committed;
  }
}

/** When the last result was written. */
async function lastResult(run: Run): Promise<Mark> {
  const { engine, child, topic, found, options } = run;
  if (!engine.closesOnceASecond) return settled(run, MAX_SILENCE_S);
  const last = await settled(run, CLOSING_SILENCE_S);
  if (found.areComplete) return last;
  await options.broker.appendClosing(topic, options.events, ++closingRounds);
  const appendedS = child.wallS;
  await reachEnd(run);
  const after = await settled(run, MAX_SILENCE_S);
  // The wait in between was the benchmark's.
  return { ...after, wallS: last.wallS + after.wallS - appendedS };
}

/**
 * Many results come in several commits, so that the run ends when the last of them was written. Reading them takes longer
 * than writing, and is no part of it.
 * @param maxSilenceS after which nothing more is awaited though results are missing
 */
async function settled(run: Run, maxSilenceS: number): Promise<Mark> {
  const { child, resultsTopic, found, marks } = run;
  const { broker, signal } = run.options;
  let last = marks.at(-1)!;
  let [written, read, heardS] = [await broker.recordsIn(resultsTopic), found.size, child.wallS];
  for (let isComplete = false; !isComplete && child.wallS - heardS < maxSilenceS; ) {
    await delay(LOOK_INTERVAL_MS, undefined, { signal });
    // Before the look at what was written, so that the last result is in it.
    isComplete = found.areComplete;
    const cpuS = child.cpuS();
    const [writtenNow, readNow] = [await broker.recordsIn(resultsTopic), found.size];
    if (writtenNow !== written) last = { ...last, cpuS, wallS: child.wallS };
    if (writtenNow !== written || readNow !== read) heardS = child.wallS;
    [written, read] = [writtenNow, readNow];
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
