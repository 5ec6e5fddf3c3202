/**
 * The pipeline DSL. A pipeline says where its events come from, what they are grouped by, how time is cut, what
 * is kept of each group, and where the results go:
 *
 *     pipeline("airport-delays", { service: "analytics" })
 *       .from(events(flightDeparted), { outOfOrderMs: HOUR_MS })
 *       .keyBy((flight) => flight.data.origin)
 *       .window(tumbling({ sizeMs: HOUR_MS }))
 *       .aggregate({ flights: count(), worst: max((flight) => flight.data.delayMin) })
 *       .toResults();
 *
 * Each step is typed by the one before it; a step out of order does not compile. What types cannot say is checked
 * when the pipeline is made, and throws {@link PipelineError}, so before anything is consumed.
 */
import type { Aggregate } from "../aggregates/aggregate.ts";
import { advanceOf, type WindowDefinition } from "../windows/window.ts";
import type { PipelineDefinition } from "./definition.ts";
import { type CustomSource, type Source, toSource } from "./source.ts";

export type { Aggregate } from "../aggregates/aggregate.ts";
export { count, max, mean, min, sum } from "../aggregates/numeric.ts";
export { hopping, tumbling } from "../windows/window.ts";
export type { PipelineDefinition } from "./definition.ts";
export { type CustomSource, events, type Source } from "./source.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Windows that one event may be in. A day that advances by the minute is 1,440. */
const MAX_WINDOWS_PER_EVENT = 1_440;

/** A mistake in a pipeline's definition: which pipeline, which setting, what is allowed. */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  readonly code = "PIPELINE_INVALID";
}

export interface PipelineOptions {
  /** The Fargate service that runs it. Default: a service of its own, called like the pipeline. */
  readonly service?: string;
}

export interface FromOptions {
  /** How far events come out of order, in milliseconds of event time: the watermark trails by this much. */
  readonly outOfOrderMs: number;
  /**
   * Events with the same source and id count once. `horizonMs` is how long an id is remembered, by event time;
   * what is older than that is late. Default: the window's size plus its allowed lateness. `false`: no dedupe.
   */
  readonly dedupe?: false | { readonly horizonMs: number };
}

export interface WindowOptions {
  /** How long a closed window still takes events, by event time, in milliseconds. Default 0. */
  readonly allowedLatenessMs?: number;
}

/** Starts a pipeline. Its name is lower-case words joined by hyphens; it names topics, groups and routes. */
export function pipeline(name: string, options: PipelineOptions = {}): PipelineStart {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 64) {
    throw new PipelineError(
      `pipeline name "${name}": use up to 64 lower-case letters, digits and single hyphens`,
    );
  }
  return new PipelineStart(name, options.service ?? name);
}

class PipelineStart {
  readonly #name: string;
  readonly #service: string;
  constructor(name: string, service: string) {
    this.#name = name;
    this.#service = service;
  }

  /** Reads a source: {@link events} of the catalogue, or `{ topic, decode, time, identity }`. */
  from<Event>(source: Source<Event> | CustomSource<Event>, options: FromOptions): Stream<Event> {
    const complete = toSource(source);
    requireDuration(this.#name, "outOfOrderMs", options.outOfOrderMs, 0);
    if (options.dedupe !== false && complete.identity === undefined) {
      throw new PipelineError(
        `pipeline ${this.#name}: its source has no identity(event), so it cannot dedupe; ` +
          "give the source one, or say dedupe: false",
      );
    }
    return new Stream<Event>({ name: this.#name, service: this.#service, source: complete, from: options });
  }
}

interface StreamParts<Event> {
  readonly name: string;
  readonly service: string;
  readonly source: Source<Event>;
  readonly from: FromOptions;
}

class Stream<Event> {
  readonly #parts: StreamParts<Event>;
  constructor(parts: StreamParts<Event>) {
    this.#parts = parts;
  }

  /** Groups by a key. It must be the Kafka key of the event's record: an event found elsewhere is dead-lettered. */
  keyBy(key: (event: Event) => string): KeyedStream<Event> {
    return new KeyedStream<Event>({ ...this.#parts, key });
  }
}

interface KeyedParts<Event> extends StreamParts<Event> {
  readonly key: (event: Event) => string;
}

class KeyedStream<Event> {
  readonly #parts: KeyedParts<Event>;
  constructor(parts: KeyedParts<Event>) {
    this.#parts = parts;
  }

  /** Cuts event time into windows: {@link tumbling} or {@link hopping}. */
  window(window: WindowDefinition, options: WindowOptions = {}): WindowedStream<Event> {
    const { name } = this.#parts;
    const { allowedLatenessMs = 0 } = options;
    requireDuration(name, "window.sizeMs", window.sizeMs, 1);
    requireDuration(name, "window.advanceMs", advanceOf(window), 1);
    requireWhole(name, "window.offsetMs", window.offsetMs);
    requireOverlap(name, window);
    requireDuration(name, "allowedLatenessMs", allowedLatenessMs, 0);
    return new WindowedStream<Event>({ ...this.#parts, window, allowedLatenessMs });
  }
}

interface WindowedParts<Event> extends KeyedParts<Event> {
  readonly window: WindowDefinition;
  readonly allowedLatenessMs: number;
}

class WindowedStream<Event> {
  readonly #parts: WindowedParts<Event>;
  constructor(parts: WindowedParts<Event>) {
    this.#parts = parts;
  }

  /** What is kept of each key and window: the result is an object with a field for each name. */
  aggregate<Fields extends Readonly<Record<string, Aggregate<Event>>>>(
    fields: Fields,
  ): AggregatedStream<Event> {
    const names = Object.keys(fields);
    if (names.length === 0)
      throw new PipelineError(`pipeline ${this.#parts.name}: aggregate() needs a field`);
    return new AggregatedStream<Event>(this.#parts, fields);
  }
}

class AggregatedStream<Event> {
  readonly #parts: WindowedParts<Event>;
  readonly #fields: Readonly<Record<string, Aggregate<Event>>>;
  constructor(parts: WindowedParts<Event>, fields: Readonly<Record<string, Aggregate<Event>>>) {
    this.#parts = parts;
    this.#fields = fields;
  }

  /** Writes each closed window to the pipeline's results topic, `<name>.results`. Completes the pipeline. */
  toResults(): PipelineDefinition {
    const { from, window, allowedLatenessMs, source, ...rest } = this.#parts;
    const definition: PipelineDefinition<Event> = {
      ...rest,
      source,
      inputs: [{ topic: source.topic }],
      outOfOrderMs: from.outOfOrderMs,
      window,
      allowedLatenessMs,
      dedupeHorizonMs: dedupeHorizonMs(rest.name, from, window.sizeMs + allowedLatenessMs),
      aggregates: Object.entries(this.#fields).map(([name, aggregate]) => ({ name, aggregate })),
    };
    // The event's type has done its work; the engine only hands events from the source to these functions.
    return Object.freeze(definition) as unknown as PipelineDefinition;
  }
}

function dedupeHorizonMs(name: string, { dedupe }: FromOptions, defaultMs: number): number | null {
  if (dedupe === false) return null;
  if (dedupe === undefined) return defaultMs;
  requireDuration(name, "dedupe.horizonMs", dedupe.horizonMs, 1);
  return dedupe.horizonMs;
}

/** A window shorter than its advance would leave events in no window; each overlap costs an update an event. */
function requireOverlap(name: string, window: WindowDefinition): void {
  const overlaps = window.sizeMs / advanceOf(window);
  if (overlaps >= 1 && overlaps <= MAX_WINDOWS_PER_EVENT) return;
  throw new PipelineError(
    `pipeline ${name}: window.sizeMs / window.advanceMs is ${overlaps}; it must be 1 to ${MAX_WINDOWS_PER_EVENT}`,
  );
}

function requireDuration(name: string, setting: string, valueMs: number, least: number): void {
  requireWhole(name, setting, valueMs);
  if (valueMs < least) {
    throw new PipelineError(`pipeline ${name}: ${setting} is ${valueMs}; it must be at least ${least} ms`);
  }
}

function requireWhole(name: string, setting: string, valueMs: number): void {
  if (!Number.isSafeInteger(valueMs)) {
    throw new PipelineError(
      `pipeline ${name}: ${setting} is ${valueMs}; it must be a whole number of milliseconds`,
    );
  }
}
