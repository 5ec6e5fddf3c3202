/** A topology as text to read. */
import type { Emission, EmitPolicy } from "../../processors/engine/windows/emission.ts";
import type { Trigger, WindowDefinition } from "../../processors/engine/windows/window.ts";
import { duration } from "./duration.ts";
import { resultFields } from "./result-fields.ts";
import type {
  EnrichTopology,
  InputTopology,
  OperatorTopology,
  StageTopology,
  Topology,
  WrittenTopic,
} from "./topology.ts";

type Row = readonly [name: string, text: string];
type Section = readonly [title: string, rows: readonly Row[]];

export function topologyText({ pipeline, service, stages }: Topology): string {
  const head = `pipeline ${pipeline}, service ${service}`;
  const texts = stages.map((stage, index) => {
    const title = stages.length === 1 ? head : `stage ${index + 1} of ${stages.length}: ${stage.stage}`;
    return stageText(title, stage);
  });
  return stages.length === 1 ? texts.join("") : [head, ...texts].join("\n\n");
}

function stageText(title: string, stage: StageTopology): string {
  const sections: readonly Section[] = [
    [title, ownRows(stage)],
    ...stage.inputs.map((input): Section => [`reads ${input.topic}`, inputRows(input)]),
    ...stage.operators.map((operator): Section => [`keeps ${operator.series}`, operatorRows(operator)]),
    ["writes", stage.writes.map(writtenRow)],
  ];
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length)));
  const lineOf = ([name, text]: Row) => `  ${name.padEnd(width)}  ${text}`;
  return sections.map(([name, rows]) => [name, ...rows.map(lineOf)].join("\n")).join("\n\n");
}

function ownRows(stage: StageTopology): Row[] {
  const { consumerGroup, transactionalId, checkpoint, maxEntriesPerTask, maxIdsPerTask, inputs } = stage;
  const tasks = inputs[0]?.partitions ?? null;
  return [
    ["tasks", tasks === null ? "one a partition" : `${tasks}: one a partition`],
    ["consumer group", consumerGroup],
    ["transactional id", transactionalId],
    ["checkpoint", checkpoint],
    ["a task holds", `at most ${count(maxEntriesPerTask)} entries and ${count(maxIdsPerTask)} ids`],
  ];
}

const count = (value: number): string => value.toLocaleString("en-US");

const writtenRow = ({ topic, content, retentionMs }: WrittenTopic): Row => [
  topic,
  `${content}, kept ${duration(retentionMs)}`,
];

function inputRows(input: InputTopology): Row[] {
  if (input.role === "table") {
    return [
      ["topic", topicText(input)],
      ["rows", "the newest value of each Kafka key; events wait until all were read"],
    ];
  }
  const rows: Row[] = [
    ["topic", topicText(input)],
    ...(input.enrich === null ? [] : enrichRows(input.enrich)),
    ["key", input.key ?? "any"],
  ];
  if (input.role === "forwarded") return [...rows, ["watermark", "of the stage before"], dedupeRow(input)];
  const { outOfOrderMs, idleTimeoutMs } = input;
  const silence =
    idleTimeoutMs === null
      ? "windows wait for the next event"
      : `after ${duration(idleTimeoutMs)} the clock moves the watermark`;
  return [
    ...rows,
    ["watermark", `the largest event time less ${duration(outOfOrderMs)}`],
    ["silence", silence],
    dedupeRow(input),
  ];
}

function enrichRows(enrich: EnrichTopology): Row[] {
  const { service, maxInFlight, maxAttempts, timeoutMs, maxQuestionsPerCall, maxRequestsPerSecond } = enrich;
  const attempts = maxAttempts === 1 ? "one attempt" : `${maxAttempts} attempts`;
  const questions =
    maxQuestionsPerCall === 1 ? "a question each" : `up to ${maxQuestionsPerCall} questions each`;
  const rate =
    maxRequestsPerSecond === null
      ? "as many calls a second as there are"
      : `${count(maxRequestsPerSecond)} calls a second of all tasks together`;
  return [
    [
      "asks",
      `${service}: ${maxInFlight} calls at once for each task, ${questions}, ${attempts} of ${duration(timeoutMs)}`,
    ],
    ["", rate],
    ["", cacheText(enrich)],
    ["", failureText(enrich)],
    ["", "events keep their order and wait for each other's answers"],
  ];
}

const cacheText = ({ cache }: EnrichTopology): string =>
  cache === null
    ? "answers are not kept"
    : `up to ${count(cache.maxEntries)} answers are used again for ${duration(cache.ttlMs)}`;

function failureText({ onFailure, skipAboveWaitingRecords }: EnrichTopology): string {
  if (skipAboveWaitingRecords !== null) {
    return `optional: while it is away or more than ${count(skipAboveWaitingRecords)} records wait, events go on degraded`;
  }
  return onFailure === "skip" ? "without an answer an event goes on" : "without an answer an event is dead";
}

function topicText({ partitions, priority, retentionMs, compacted }: InputTopology): string {
  if (retentionMs === null) return "not listed in contracts/topics.ts";
  const tasks =
    partitions === null ? "as many partitions as the stage before reads" : `${partitions} partitions`;
  const urgency = priority === null ? "" : `, ${priority} priority`;
  return `${tasks}${urgency}, ${compacted ? "compacted" : `kept ${duration(retentionMs)}`}`;
}

const dedupeRow = ({ dedupeHorizonMs }: InputTopology): Row => [
  "dedupe",
  dedupeHorizonMs === null
    ? "none"
    : `identities kept ${duration(dedupeHorizonMs)} of event time; what is older is late`,
];

function operatorRows({ kind, settings, aggregates, stateKeptMs, results }: OperatorTopology): Row[] {
  const {
    kind: variant,
    window,
    allowedLatenessMs,
    emission,
    ...further
  } = settings as Readonly<Record<string, unknown>> &
    Partial<{ window: WindowDefinition; allowedLatenessMs: number; emission: Emission }>;
  // A join is inner or left.
  const rows: Row[] = [["kind", typeof variant === "string" ? `${variant} ${kind}` : kind]];
  if (window !== undefined) rows.push(["window", windowText(window)]);
  // A global window never closes, and its trigger says when it is emitted.
  if (window?.kind !== "global") {
    if (allowedLatenessMs !== undefined) rows.push(["lateness", latenessText(allowedLatenessMs)]);
    if (emission !== undefined) rows.push(["emits", emitText(emission.emit)]);
  }
  if (emission !== undefined) rows.push(["panes", emission.panes]);
  rows.push(...Object.entries(further).flatMap(settingRow));
  rows.push(
    ...listed(
      "aggregates",
      aggregates.map(({ name, kind: aggregate }) => `${name}: ${aggregate}`),
    ),
  );
  rows.push(...listed("results", results === null ? [] : resultFields(results)));
  rows.push(["kept", keptText(kind, stateKeptMs)]);
  return rows;
}

/** A row for each, the first of which has the name. */
const listed = (name: string, texts: readonly string[]): Row[] =>
  texts.map((text, index) => [index === 0 ? name : "", text]);

function keptText(kind: string, keptMs: number | null): string {
  if (kind === "forward") return "nothing";
  if (keptMs === null) return "for as long as the pipeline runs";
  return `until the watermark is ${duration(keptMs)} past an event`;
}

const latenessText = (ms: number): string =>
  ms === 0
    ? "none: a closed window takes no more events"
    : `a closed window takes events for ${duration(ms)} more`;

function windowText(window: WindowDefinition): string {
  switch (window.kind) {
    case "tumbling":
      return `tumbling: ${duration(window.sizeMs)}${offsetText(window.offsetMs)}`;
    case "hopping":
      return `hopping: ${duration(window.sizeMs)}, every ${duration(window.advanceMs)}${offsetText(window.offsetMs)}`;
    case "sliding":
      return `sliding: ${duration(window.sizeMs)}, both ends inclusive`;
    case "session":
      return `session: ends after a gap of more than ${duration(window.gapMs)}`;
    case "global":
      return `global: emitted ${triggerText(window.trigger)}`;
  }
}

const offsetText = (ms: number): string => (ms === 0 ? "" : `, starts shifted by ${duration(ms)}`);

const triggerText = (trigger: Trigger): string =>
  trigger.kind === "every-count" ? `at every ${trigger.count} events of a key` : emitText(trigger);

function emitText(emit: EmitPolicy): string {
  switch (emit.kind) {
    case "on-close":
      return "when the window closes";
    case "on-update":
      return "at every event";
    case "every":
      return `every ${duration(emit.everyMs)} of event time, where anything changed`;
  }
}

/** A setting of an operator that this file does not know; its unit is in its name. */
function settingRow([name, value]: readonly [string, unknown]): Row[] {
  if (value === null) return [];
  if (name.endsWith("Ms") && typeof value === "number") return [[name.slice(0, -2), duration(value)]];
  return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
}
