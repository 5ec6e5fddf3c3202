/** A topology as text to read. */
import type { Emission, EmitPolicy } from "../../processors/engine/windows/emission.ts";
import type { Trigger, WindowDefinition } from "../../processors/engine/windows/window.ts";
import { duration } from "./duration.ts";
import type { InputTopology, OperatorTopology, Topology } from "./topology.ts";

type Row = readonly [name: string, text: string];

export function topologyText(topology: Topology): string {
  const { pipeline, inputs, operators, writes } = topology;
  const sections: (readonly [title: string, rows: readonly Row[]])[] = [
    [`pipeline ${pipeline}`, ownRows(topology)],
    ...inputs.map((input) => [`reads ${input.topic}`, inputRows(input)] as const),
    ...operators.map((operator) => [`keeps ${operator.series}`, operatorRows(operator)] as const),
    [
      "writes",
      writes.map(
        ({ topic, content, retentionMs }): Row => [topic, `${content}, kept ${duration(retentionMs)}`],
      ),
    ],
  ];
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length)));
  return sections
    .map(([title, rows]) =>
      [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join("\n"),
    )
    .join("\n\n");
}

function ownRows({ service, consumerGroup, transactionalId, checkpoint, inputs }: Topology): Row[] {
  const tasks = inputs[0]?.partitions;
  return [
    ["service", tasks == null ? service : `${service}, ${tasks} tasks at most: one a partition`],
    ["consumer group", consumerGroup],
    ["transactional id", transactionalId],
    ["checkpoint", checkpoint],
  ];
}

function inputRows(input: InputTopology): Row[] {
  const { partitions, priority, retentionMs, outOfOrderMs, idleTimeoutMs, dedupeHorizonMs, key } = input;
  return [
    [
      "topic",
      retentionMs === null
        ? "not listed in contracts/topics.ts"
        : `${partitions} partitions, ${priority} priority, kept ${duration(retentionMs)}`,
    ],
    ["key", key],
    ["out of order", `up to ${duration(outOfOrderMs)}: the watermark trails by that`],
    [
      "silence",
      idleTimeoutMs === null
        ? "windows wait for the next event"
        : `after ${duration(idleTimeoutMs)} the clock moves the watermark`,
    ],
    [
      "dedupe",
      dedupeHorizonMs === null
        ? "none"
        : `identities kept ${duration(dedupeHorizonMs)} of event time; what is older is late`,
    ],
  ];
}

function operatorRows({ kind, settings, aggregates, stateKeptMs }: OperatorTopology): Row[] {
  const kept =
    stateKeptMs === null ? "as long as the pipeline runs" : `${duration(stateKeptMs)} of event time`;
  const { window, allowedLatenessMs, emission, ...further } = settings as Readonly<Record<string, unknown>> &
    Partial<{ window: WindowDefinition; allowedLatenessMs: number; emission: Emission }>;
  return [
    ["kind", kind],
    ...(window === undefined ? [] : [["window", windowText(window)] as const]),
    ...(allowedLatenessMs === undefined ? [] : [["lateness", latenessText(allowedLatenessMs)] as const]),
    ...(emission === undefined || window?.kind === "global"
      ? []
      : [["emits", `${emitText(emission.emit)}; panes ${emission.panes}`] as const]),
    ...Object.entries(further).map(settingRow),
    ...aggregates.map(
      ({ name, kind: aggregate }, index): Row => [index === 0 ? "aggregates" : "", `${name}: ${aggregate}`],
    ),
    ["state", `kept ${kept} after an event`],
  ];
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
function settingRow([name, value]: readonly [string, unknown]): Row {
  if (name.endsWith("Ms") && typeof value === "number") return [name.slice(0, -2), duration(value)];
  return [name, typeof value === "string" ? value : JSON.stringify(value)];
}
