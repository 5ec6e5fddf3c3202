/** Measures all contenders on all cases, by turns. */
import { join } from "node:path";
import { type Engine, java, kafkaStreams, kafkatsFlow, type StreamsVariant, spillway } from "./engines.ts";
import type { Stream } from "./events.ts";
import { type Figures, medianFigures } from "./figures.ts";
import { type BenchPlatform, fillTopic } from "./platform.ts";
import type { Command } from "./process.ts";
import { expectedResults, type Results } from "./reference.ts";
import { type CaseReport, KAFKA_STREAMS, READ_LIMIT } from "./report.ts";
import { type Outcome, runEngine, runLimit } from "./run.ts";
import { type WindowCase, windowCases } from "./windows.ts";

export interface Size {
  readonly events: number;
  /** How many of them, from the first, count as cold. */
  readonly coldEvents: number;
  /** What a peer reads that would take more than a minute for all. */
  readonly prefixEvents: number;
  readonly rounds: number;
  /** Whether @kafkats/flow takes part. */
  readonly comparesFlow: (windowCase: WindowCase) => boolean;
  /** Whether what could be had at most by reading it alone is measured. */
  readonly limitsReadingOf: (stream: Stream) => boolean;
  /** Of Kafka Streams. After the first round the best one of a case goes on. */
  readonly variantsOf: (windowCase: WindowCase) => readonly StreamsVariant[];
}

export interface Software {
  /** The processor. */
  readonly bundle: string;
  readonly jars: string;
}

interface Contender {
  readonly name: string;
  readonly runs: Figures[];
  /** See {@link Line}; of the worst round. */
  differingRows: number | null;
  readonly measure: () => Promise<Outcome>;
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
  const streams = [...new Map(windowCases.map(({ stream }) => [stream.topic, stream])).values()];
  for (const stream of streams) {
    say(`filling ${stream.topic}`);
    await fillTopic(platform, stream, size.events, { withTimestamps: false, isClosed: true });
    // @kafkats/flow has one time for all partitions: what closes a partition would make it drop the others' events.
    await fillTopic(platform, prefixOf(stream), size.prefixEvents, {
      withTimestamps: true,
      isClosed: false,
    });
  }
  const limits = new Map(streams.map((stream) => [stream.topic, readingContenders(stream, measurement)]));
  const cases = windowCases.map((windowCase) => ({
    windowCase,
    contenders: [...contendersOf(windowCase, measurement), ...limits.get(windowCase.stream.topic)!],
  }));
  for (let round = 0; round < size.rounds; round++) {
    for (const { windowCase, contenders } of cases) {
      for (const contender of contenders.filter((each) => goesOn(each, contenders, round))) {
        const { figures, difference } = await contender.measure();
        contender.runs.push(figures);
        if (difference !== null) {
          contender.differingRows = Math.max(contender.differingRows ?? 0, difference.count);
          for (const example of difference.examples) say(`differs: ${example}`);
        }
        const perCpuS = Math.round(figures.perCpuS).toLocaleString("en-US");
        say(`round ${round + 1}, ${windowCase.title}, ${contender.name}: ${perCpuS} events/CPU-s`);
      }
    }
  }
  return cases.map(({ windowCase: { name, title }, contenders }) => ({
    name,
    title,
    lines: contenders.map(({ name: engine, differingRows, runs }) => {
      return { engine, differingRows, runs, figures: medianFigures(runs) };
    }),
  }));
}

const prefixOf = <S extends WindowCase["stream"]>(stream: S): S => ({
  ...stream,
  topic: `${stream.topic}-prefix`,
});

/**
 * Of the variants of Kafka Streams only that which was best in the first round; and a limit that several cases share only
 * once a round.
 */
function goesOn(contender: Contender, contenders: readonly Contender[], round: number): boolean {
  if (contender.runs.length > round) return false;
  if (round === 0 || !contender.name.startsWith(KAFKA_STREAMS)) return true;
  const first = ({ runs }: Contender): number => runs[0]?.perCpuS ?? Number.POSITIVE_INFINITY;
  const variants = contenders.filter(({ name }) => name.startsWith(KAFKA_STREAMS));
  return variants.every((each) => first(each) <= first(contender));
}

function contendersOf(windowCase: WindowCase, measurement: Measurement): readonly Contender[] {
  const { platform, software, size } = measurement;
  const { bundle, jars } = software;
  const engines = [
    spillway({ bundle, env: platform.env }),
    ...size.variantsOf(windowCase).map((variant) => kafkaStreams(jars, variant)),
  ];
  const expected = lazily(() => expectedResults(windowCase.stream, windowCase.window, size.events));
  return [
    ...engines.map((engine) => engineContender(engine, windowCase, size.events, expected, measurement)),
    ...(size.comparesFlow(windowCase) ? [kafkatsContender(windowCase, measurement)] : []),
    taskContender(windowCase, measurement),
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
    differingRows: null,
    runs: [],
    measure: () => runEngine(engine, windowCase, options, expected),
  };
}

function taskContender({ name }: WindowCase, measurement: Measurement): Contender {
  const { coldEvents, events } = measurement.size;
  return limitContender(
    "the task alone",
    nodeCommand("task-alone.ts", name, coldEvents, events),
    measurement,
  );
}

/** What could be had at most of a stream: by reading alone. */
function readingContenders(stream: Stream, measurement: Measurement): readonly Contender[] {
  const { platform, software, size } = measurement;
  const { topic } = stream;
  if (!size.limitsReadingOf(stream)) return [];
  const { bootstrapServers } = platform.broker;
  const { events, coldEvents } = size;
  const read = (what: "read" | "parse"): Command =>
    nodeCommand("read.ts", bootstrapServers, topic, coldEvents, events, what);
  const byJava = java(software.jars, "ReadOnly", "Parallel", { bootstrapServers, topic, coldEvents, events });
  return [
    limitContender(READ_LIMIT, read("read"), measurement),
    limitContender("kafkajs and JSON.parse", read("parse"), measurement),
    limitContender("Java's consumer, reading only", byJava, measurement),
  ];
}

const nodeCommand = (script: string, ...args: readonly (string | number)[]): Command => ({
  command: process.execPath,
  args: [join(import.meta.dirname, "limits", script), ...args.map(String)],
});

function limitContender(name: string, command: Command, { size, signal }: Measurement): Contender {
  return {
    name,
    differingRows: null,
    runs: [],
    measure: async () => ({ figures: await runLimit(command, size.coldEvents, signal), difference: null }),
  };
}

function lazily<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}
