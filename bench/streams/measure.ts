/** Measures all contenders on all cases, by turns. */
import { join } from "node:path";
import { type Engine, java, kafkaStreams, kafkatsFlow, type StreamsVariant, spillway } from "./engines.ts";
import { type Figures, medianFigures } from "./figures.ts";
import { type BenchPlatform, fillTopic } from "./platform.ts";
import type { Command } from "./process.ts";
import { expectedResults, type Results } from "./reference.ts";
import { type CaseReport, KAFKA_STREAMS, READ_LIMIT } from "./report.ts";
import { runEngine, runLimit } from "./run.ts";
import { type WindowCase, windowCases } from "./windows.ts";

export interface Size {
  readonly events: number;
  /** How many of them, from the first, count as cold. */
  readonly coldEvents: number;
  /** What a peer reads that would take more than a minute for all. */
  readonly prefixEvents: number;
  readonly rounds: number;
  /** Of Kafka Streams. After the first round the best one of a case goes on. */
  readonly variants: readonly StreamsVariant[];
}

export interface Software {
  /** The processor. */
  readonly bundle: string;
  readonly jars: string;
}

interface Contender {
  readonly name: string;
  readonly areEqual: boolean | null;
  readonly runs: Figures[];
  /** @param isFirst whether its results are read */
  readonly measure: (isFirst: boolean) => Promise<Figures>;
}

interface Measurement {
  readonly platform: BenchPlatform;
  readonly software: Software;
  readonly size: Size;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export async function measureAll(measurement: Measurement): Promise<readonly CaseReport[]> {
  const { platform, size, say } = measurement;
  for (const stream of new Map(windowCases.map((each) => [each.stream.topic, each.stream])).values()) {
    say(`filling ${stream.topic}`);
    await fillTopic(platform, stream, size.events, false);
    await fillTopic(platform, prefixOf(stream), size.prefixEvents, true);
  }
  const cases = windowCases.map((windowCase) => ({
    windowCase,
    contenders: contendersOf(windowCase, measurement),
  }));
  for (let round = 0; round < size.rounds; round++) {
    for (const { windowCase, contenders } of cases) {
      for (const contender of contenders.filter((each) => goesOn(each, contenders))) {
        const figures = await contender.measure(round === 0);
        contender.runs.push(figures);
        const perCpuS = Math.round(figures.perCpuS).toLocaleString("en-US");
        say(`round ${round + 1}, ${windowCase.title}, ${contender.name}: ${perCpuS} events/CPU-s`);
      }
    }
  }
  return cases.map(({ windowCase: { name, title }, contenders }) => ({
    name,
    title,
    lines: contenders.map(({ name: engine, areEqual, runs }) => {
      return { engine, areEqual, runs, figures: medianFigures(runs) };
    }),
  }));
}

const prefixOf = <S extends WindowCase["stream"]>(stream: S): S => ({
  ...stream,
  topic: `${stream.topic}-prefix`,
});

/** Of the variants of Kafka Streams only that which was best in the first round. */
function goesOn(contender: Contender, contenders: readonly Contender[]): boolean {
  if (contender.runs.length === 0 || !contender.name.startsWith(KAFKA_STREAMS)) return true;
  const first = ({ runs }: Contender): number => runs[0]?.perCpuS ?? Number.POSITIVE_INFINITY;
  const variants = contenders.filter(({ name }) => name.startsWith(KAFKA_STREAMS));
  return variants.every((each) => first(each) <= first(contender));
}

function contendersOf(windowCase: WindowCase, measurement: Measurement): readonly Contender[] {
  const { platform, software, size } = measurement;
  const { bundle, jars } = software;
  const engines = [
    spillway({ bundle, env: platform.env }),
    ...size.variants.map((variant) => kafkaStreams(jars, variant)),
  ];
  const expected = lazily(() => expectedResults(windowCase.stream, windowCase.window, size.events));
  return [
    ...engines.map((engine) => engineContender(engine, windowCase, size.events, expected, measurement)),
    ...(kafkatsFlow.supports(windowCase) ? [kafkatsContender(windowCase, measurement)] : []),
    ...limitContenders(windowCase, measurement),
  ];
}

function kafkatsContender(windowCase: WindowCase, measurement: Measurement): Contender {
  const { prefixEvents } = measurement.size;
  const ofPrefix = { ...windowCase, stream: prefixOf(windowCase.stream) };
  const expected = () => expectedResults(ofPrefix.stream, ofPrefix.window, prefixEvents);
  return engineContender(kafkatsFlow, ofPrefix, prefixEvents, expected, measurement);
}

function engineContender(
  engine: Engine,
  windowCase: WindowCase,
  events: number,
  expected: () => Results,
  { platform, size, signal }: Measurement,
): Contender {
  const { broker, directory } = platform;
  const options = { broker, directory, events, coldEvents: size.coldEvents, signal };
  return {
    name: engine.name,
    // What differs ends the benchmark.
    areEqual: true,
    runs: [],
    measure: (isFirst) => runEngine(engine, windowCase, options, isFirst ? expected : null),
  };
}

/** What could be had at most: of reading alone, and of the engine's own code alone. */
function limitContenders({ name, stream }: WindowCase, measurement: Measurement): readonly Contender[] {
  const { platform, software, size, signal } = measurement;
  const { bootstrapServers } = platform.broker;
  const { events, coldEvents } = size;
  const numbers = [String(coldEvents), String(events)];
  const node = (script: string, ...args: readonly string[]): Command => ({
    command: process.execPath,
    args: [join(import.meta.dirname, "limits", script), ...args],
  });
  const reading = { bootstrapServers, topic: stream.topic, coldEvents, events };
  const commands: readonly (readonly [string, Command])[] = [
    ["the task alone", node("task-alone.ts", name, ...numbers)],
    [READ_LIMIT, node("read.ts", bootstrapServers, stream.topic, ...numbers, "read")],
    ["kafkajs and JSON.parse", node("read.ts", bootstrapServers, stream.topic, ...numbers, "parse")],
    ["Java's consumer, reading only", java(software.jars, "ReadOnly", "Parallel", reading)],
  ];
  return commands.map(([limit, command]) => ({
    name: limit,
    areEqual: null,
    runs: [],
    measure: () => runLimit(command, coldEvents, signal),
  }));
}

function lazily<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}
