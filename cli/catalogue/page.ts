/** The catalogue's page, made of the events' definitions, their releases, and what pipelines read and write. */
import type { EventDefinition } from "../../contracts/events/catalogue.ts";
import { topicsOfType } from "../../contracts/events/define.ts";
import {
  DEAD_LETTERS_PARTITIONS,
  DEAD_LETTERS_TOPIC,
  REJECTED_RETENTION_MS,
  type TopicDefinition,
  topics,
} from "../../contracts/topics.ts";
import { duration } from "../explain/duration.ts";
import type { StageTopology, Topology } from "../explain/topology.ts";
import type { Release } from "../schemas/releases.ts";

const DOORS = "the doors";
const REDRIVE = "redrive";

export function cataloguePage(
  definitions: readonly EventDefinition[],
  releases: readonly Release[],
  pipelines: readonly Topology[],
): string {
  const stages = pipelines.flatMap((pipeline) => pipeline.stages);
  return `# Event catalogue

Made by \`npx vitest run test/cli/catalogue -u\` from contracts/ and processors/pipelines/; do not edit. [events.md](events.md)
says how a type changes, and \`npm run explain -- <pipeline>\` what a pipeline does with it.

## Events

${table(
  [
    "type",
    "version",
    "owner",
    "classification",
    "topic",
    "priority",
    "Kafka key",
    "dated ahead at most",
    "pipelines",
  ],
  definitions.map((definition) => eventRow(definition, releases, pipelines)),
)}

A version is that of the schema in \`contracts/events/released/<type>.json\`. Events come in by the doors: who may send which
type is in each environment's configuration (\`ingest.auth\`, \`doors\`).

## Topics of events

${table(
  ["topic", "types", "partitions", "kept", "priority", "written by", "read by"],
  Object.entries(topics).map(([name, topic]) => topicRow(name, topic, definitions, stages)),
)}

## Topics that pipelines write

${table(
  ["topic", "content", "kept", "written by", "read by"],
  stages.flatMap((stage) => writtenRows(stage, stages)),
)}

## Dead letters

\`${DEAD_LETTERS_TOPIC}\`, ${DEAD_LETTERS_PARTITIONS} partitions, kept for ${duration(REJECTED_RETENTION_MS)}: written by every stage, by the door, forward and sink functions, and read by the
archiver ([dead-letters.md](dead-letters.md)). It has events of every classification above.
`;
}

function eventRow(
  definition: EventDefinition,
  releases: readonly Release[],
  pipelines: readonly Topology[],
): readonly string[] {
  const { type, owner, classification, partitionKey, futureBoundMs } = definition;
  const itsTopics = topicsOfType(definition);
  const release = releases.find((each) => each.type === type);
  const readers = pipelines.filter(({ stages }) =>
    itsTopics.some((topic) => readersOf(topic, stages).length > 0),
  );
  return [
    code(type),
    release === undefined ? "not released" : String(release.version),
    owner,
    classification,
    listed(itsTopics),
    itsTopics.map((topic) => topics[topic].priority).join(", "),
    code(partitionKey),
    duration(futureBoundMs),
    listed(readers.map(({ pipeline }) => pipeline)),
  ];
}

function topicRow(
  name: string,
  { partitions, retentionMs, compacted = false, priority }: TopicDefinition,
  definitions: readonly EventDefinition[],
  stages: readonly StageTopology[],
): readonly string[] {
  const types = definitions
    .filter((each) => (topicsOfType(each) as readonly string[]).includes(name))
    .map(({ type }) => type);
  return [
    code(name),
    listed(types),
    String(partitions),
    compacted ? "the newest of each key, for ever" : duration(retentionMs),
    priority,
    `${DOORS}, ${REDRIVE}`,
    listed(readersOf(name, stages)),
  ];
}

/** Dead letters have a section of their own. */
const writtenRows = (
  stage: StageTopology,
  stages: readonly StageTopology[],
): readonly (readonly string[])[] =>
  stage.writes
    .filter(({ topic }) => topic !== DEAD_LETTERS_TOPIC)
    .map(({ topic, content, retentionMs }) => [
      code(topic),
      content,
      duration(retentionMs),
      code(stage.stage),
      content === "results" ? "the sink" : listed(readersOf(topic, stages)),
    ]);

const readersOf = (topic: string, stages: readonly StageTopology[]): string[] =>
  stages.filter(({ inputs }) => inputs.some((input) => input.topic === topic)).map(({ stage }) => stage);

const code = (text: string): string => `\`${text}\``;
const listed = (names: readonly string[]): string => names.map(code).join(", ") || "nobody";

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
