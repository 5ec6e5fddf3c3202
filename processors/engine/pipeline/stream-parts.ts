/** What is known of a stream between its source and its key. */
import type {
  InputDefinition,
  InputRole,
  PipelineDefinition,
  PipelineSettings,
  Transform,
} from "./definition.ts";
import type { Enrichment } from "./enrichment.ts";
import type { Source } from "./source.ts";

export interface FromOptions {
  /** How far events come out of order, in milliseconds of event time: the watermark trails by this much. */
  readonly outOfOrderMs: number;
  /**
   * Events with the same source and id count once. `horizonMs` is how long an id is remembered, by event time;
   * what is older than that is late. Default: as long as an event can still change something (the window's size
   * plus its allowed lateness). `false`: no dedupe.
   */
  readonly dedupe?: false | { readonly horizonMs: number };
  /**
   * After this long without an event, at the end of the log, the clock moves the watermark, so that the last windows
   * close. Default: one minute. `null`: windows wait for the next event.
   */
  readonly idleTimeoutMs?: number | null;
}

/** What a pipeline says of itself as a whole. */
export interface PipelineParts extends PipelineSettings {
  readonly name: string;
}

export interface StreamParts extends PipelineParts {
  readonly role: InputRole;
  readonly source: Source<unknown>;
  readonly outOfOrderMs: number;
  readonly idleTimeoutMs: number | null;
  readonly dedupe: FromOptions["dedupe"];
  readonly transform: Transform | null;
  /** A service that is asked; steps behind it are its own. */
  readonly enrich: Enrichment | null;
  /** The stages that write the source; none where it is a topic of events. */
  readonly upstream: readonly PipelineDefinition[];
  /** Further sources of the same events, each with its own steps up to here. */
  readonly others: readonly StreamParts[];
}

export type KeyedStreamParts = StreamParts & { readonly key: InputDefinition["key"] };

/** The stream as an input of a task. */
export function inputOf(
  { role, source, outOfOrderMs, idleTimeoutMs, transform, enrich, key }: KeyedStreamParts,
  dedupeHorizonMs: number | null,
): InputDefinition {
  const { topic } = source;
  return { role, topic, source, outOfOrderMs, idleTimeoutMs, dedupeHorizonMs, transform, enrich, key };
}
