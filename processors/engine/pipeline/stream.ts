/** The steps of the DSL. Each step is typed by the one before it; a step out of order does not compile. */
import type { ResultSchema } from "../../../contracts/result-schema.ts";
import { windowOperator } from "../operators/windows/window-operator.ts";
import type { WindowDefinition } from "../windows/window.ts";
import { PipelineError, requireFunction, requireName, requireTopic } from "./checks.ts";
import {
  type CorrelateOptions,
  type Correlation,
  correlateOperator,
  type PartMatchers,
  type PartsOf,
} from "./correlate-step.ts";
import {
  type AnyEnrichOptions,
  type Degradable,
  type EnrichOptions,
  enriched,
  type OptionalEnrichOptions,
} from "./enrich-step.ts";
import { type JoinOptions, joinOperator } from "./join-step.ts";
import { type KeyedParts, type Output, Outputs, outputOf, requireOfBranch, stating } from "./outputs.ts";
import { type ProcessOptions, processOperator } from "./process-step.ts";
import { type RekeyOptions, rekeyed, stageOf } from "./rekey.ts";
import { type KeyedSideStream, type SideStream, sourceParts, united } from "./side-stream.ts";
import type { CustomSource, Source } from "./source.ts";
import { SpreadStream } from "./spread-stream.ts";
import type { FromOptions, PipelineParts, StreamParts } from "./stream-parts.ts";
import type { Table } from "./table.ts";
import { filtering, flatMapping, mapping, through } from "./transform.ts";
import {
  type AggregateFields,
  namedAggregates,
  type OptionsOf,
  type ResultOfFields,
  type WindowChoice,
  windowChoice,
} from "./window-step.ts";

export class PipelineStart {
  readonly #pipeline: PipelineParts;

  constructor(pipeline: PipelineParts) {
    this.#pipeline = pipeline;
  }

  /** Reads a source: {@link events} of the catalogue, or `{ topic, decode, time, identity }`. */
  from<Event>(source: Source<Event> | CustomSource<Event>, options: FromOptions): Stream<Event> {
    return new Stream<Event>(sourceParts(this.#pipeline, source, options));
  }
}

export class Stream<Event> {
  readonly #parts: StreamParts;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Keeps the events for which it holds; the others count as ignored. */
  filter<Kept extends Event>(keep: (event: Event) => event is Kept): Stream<Kept>;
  filter(keep: (event: Event) => boolean): Stream<Event>;
  filter(keep: (event: Event) => boolean): Stream<Event> {
    requireFunction(this.#parts.name, "filter", keep);
    return new Stream<Event>(through(this.#parts, (before) => filtering(before, keep)));
  }

  /** Changes each event into another one, of the same event time. */
  map<Next>(change: (event: Event) => Next): Stream<Next> {
    requireFunction(this.#parts.name, "map", change);
    return new Stream<Next>(through(this.#parts, (before) => mapping(before, change)));
  }

  /** Changes each event into none, one or several, all of the same event time. They count, or die, together. */
  flatMap<Next>(expand: (event: Event) => readonly Next[]): Stream<Next> {
    requireFunction(this.#parts.name, "flatMap", expand);
    return new Stream<Next>(through(this.#parts, (before) => flatMapping(before, expand)));
  }

  /**
   * Asks a service about each event. Events stay in their order, and wait for each other's answers; what was answered
   * enters the task as an input, so that results are as exact as without. Once before the key.
   * @example .enrich({ service: "places", question: ({ data }) => data.ip, ask: (ip) => find(ip), combine: (event, place) => … })
   */
  enrich<Answer, Next extends object>(
    options: OptionalEnrichOptions<Event, Answer, Next>,
  ): Stream<Next & Degradable>;
  enrich<Answer, Next>(options: EnrichOptions<Event, Answer, Next>): Stream<Next>;
  enrich<Answer, Next>(options: AnyEnrichOptions<Event, Answer, Next>): Stream<Next> {
    return new Stream<Next>(enriched(this.#parts, options));
  }

  /** The events of another stream too: of another topic with as many partitions, and the same keys. */
  union(other: SideStream<Event>): Stream<Event> {
    return new Stream<Event>(united(this.#parts, other.parts));
  }

  /** Groups by a key. It must be the Kafka key of the event's record: an event found elsewhere is dead-lettered. */
  keyBy(key: (event: Event) => string): KeyedStream<Event> {
    requireFunction(this.#parts.name, "keyBy", key);
    const stream = { ...this.#parts, key: key as (element: unknown) => string };
    return new KeyedStream<Event>({ stream, series: stream.name, lookups: [], transform: null });
  }

  /**
   * Groups by a key of which one value may have most of the events: a first stage aggregates what it finds in each
   * partition, and only its rows go on to the one task of their key, through `<pipeline>.<name>.forwarded`.
   */
  spreadBy(name: string, key: (event: Event) => string, options: RekeyOptions = {}): SpreadStream<Event> {
    requireFunction(this.#parts.name, "spreadBy", key);
    const { name: pipeline } = this.#parts;
    const stage = stageOf(pipeline, name, options);
    return new SpreadStream<Event>({ ...this.#parts, key: key as (element: unknown) => string }, stage);
  }

  /**
   * Groups by a key that is not the Kafka key of the event's record: a first stage sends each event on to the tasks of
   * its new key, as JSON, through the topic `<pipeline>.<name>.forwarded`.
   */
  rekeyBy(name: string, key: (event: Event) => string, options: RekeyOptions = {}): KeyedStream<Event> {
    requireFunction(this.#parts.name, "rekeyBy", key);
    const stage = stageOf(this.#parts.name, name, options);
    const stream = rekeyed(this.#parts, stage, key as (element: unknown) => string);
    return new KeyedStream<Event>({ stream, series: stream.name, lookups: [], transform: null });
  }
}

export class KeyedStream<Event> {
  readonly #parts: KeyedParts;

  constructor(parts: KeyedParts) {
    this.#parts = parts;
  }

  /** Keeps the events for which it holds; the key stays. */
  filter<Kept extends Event>(keep: (event: Event) => event is Kept): KeyedStream<Kept>;
  filter(keep: (event: Event) => boolean): KeyedStream<Event>;
  filter(keep: (event: Event) => boolean): KeyedStream<Event> {
    requireFunction(this.#parts.series, "filter", keep);
    return new KeyedStream<Event>({ ...this.#parts, transform: filtering(this.#parts.transform, keep) });
  }

  /** Changes each event into another one, of the same key and event time. */
  map<Next>(change: (event: Event) => Next): KeyedStream<Next> {
    requireFunction(this.#parts.series, "map", change);
    return new KeyedStream<Next>({ ...this.#parts, transform: mapping(this.#parts.transform, change) });
  }

  /** Changes each event into none, one or several, all of the same key and event time. */
  flatMap<Next>(expand: (event: Event) => readonly Next[]): KeyedStream<Next> {
    requireFunction(this.#parts.series, "flatMap", expand);
    return new KeyedStream<Next>({ ...this.#parts, transform: flatMapping(this.#parts.transform, expand) });
  }

  /**
   * Looks the key up in a table; the row is the newest that this task has read, undefined where there is none. Events
   * wait until the table was read to what was its end when the task began.
   */
  lookup<Row, Next>(
    table: Table<Row>,
    join: (event: Event, row: Row | undefined) => Next,
  ): KeyedStream<Next> {
    requireFunction(this.#parts.series, "lookup", join);
    requireTopic(this.#parts.series, "table.topic", table?.topic);
    requireFunction(this.#parts.series, "table.decode", table.decode);
    const { lookups, transform: before } = this.#parts;
    const lookup = { before, table, join: join as (element: unknown, row: unknown) => unknown };
    return new KeyedStream<Next>({ ...this.#parts, lookups: [...lookups, lookup], transform: null });
  }

  /** Cuts event time into windows: {@link tumbling}, {@link hopping}, {@link sliding}, {@link session}, {@link global}. */
  window<Window extends WindowDefinition>(
    window: Window,
    options?: OptionsOf<Window>,
  ): WindowedStream<Event> {
    return new WindowedStream<Event>(
      this.#parts,
      windowChoice(this.#parts.stream.name, window, options ?? {}),
    );
  }

  /**
   * User code with typed state and event-time timers for each key: what no other step can say.
   * @example .process({ state: keyedState<Visit>({ ttlMs: DAY_MS }), onEvent: (event, { state, timers, emit }) => … })
   */
  process<View = never, Schema extends ResultSchema = ResultSchema>(
    options: ProcessOptions<Event, View, Schema>,
  ): Outputs {
    const output = outputOf(this.#parts, processOperator(this.#parts.series, options));
    return options.results === undefined ? output : stating(output, options.results);
  }

  /**
   * Waits, for each key, for all of several parts whose times are less than `withinMs` apart, in any order.
   * @example .correlate({ withinMs: 10 * MINUTE_MS, all: { login: loginSucceeded, payment: paymentMade } })
   */
  correlate<
    const Parts extends PartMatchers<Event>,
    const Result extends object = Correlation<PartsOf<Event, Parts>>,
  >(options: CorrelateOptions<Event, Parts, Result>): Output<Result> {
    return outputOf(this.#parts, correlateOperator(this.#parts.series, options));
  }

  /**
   * Pairs each event with those of another stream that have its key and a time within bounds of its own.
   * @example .join(stream(events(paymentMade), …).keyBy(…), { kind: "left", beforeMs: 0, afterMs: HOUR_MS, combine })
   */
  join<Right, const Result extends object>(
    right: KeyedSideStream<Right>,
    options: JoinOptions<Event, Right, Result>,
  ): Output<Result> {
    const { stream, series } = this.#parts;
    return outputOf({ ...this.#parts, right: right.parts }, joinOperator(stream, series, options));
  }

  /**
   * Splits the stream: each branch takes every event and has an output of its own, `<pipeline>.<branch>`, or that of the
   * branch around it and its own name. A branch called `main` has no name of its own: what was the only output stays
   * what it is when others are added.
   * @example .branch({ hourly: (stream) => stream.window(…).aggregate(…), daily: (stream) => … })
   */
  branch(branches: Readonly<Record<string, (stream: KeyedStream<Event>) => Outputs>>): Outputs {
    const { stream, series: around } = this.#parts;
    const names = Object.keys(branches);
    if (names.length === 0) throw new PipelineError(`pipeline ${stream.name}: branch() needs a branch`);
    const outputs = names.map((branch) => {
      requireName(`pipeline ${stream.name}: branch`, branch);
      const parts = { ...this.#parts, series: branch === "main" ? around : `${around}.${branch}` };
      const output = branches[branch]!(new KeyedStream<Event>(parts));
      requireOfBranch(branch, parts, output);
      return output;
    });
    return new Outputs(
      this.#parts,
      outputs.flatMap(({ operators }) => operators),
      outputs.flatMap(({ tables }) => tables),
      new Map(outputs.flatMap(({ schemas }) => [...schemas])),
    );
  }
}

class WindowedStream<Event> {
  readonly #parts: KeyedParts;
  readonly #choice: WindowChoice<WindowDefinition>;

  constructor(parts: KeyedParts, choice: WindowChoice<WindowDefinition>) {
    this.#parts = parts;
    this.#choice = choice;
  }

  /** What is kept of each key and window: the result is an object with a field for each name. */
  aggregate<Fields extends AggregateFields<Event>>(fields: Fields): Output<ResultOfFields<Fields>> {
    const { series, stream } = this.#parts;
    const aggregates = namedAggregates(stream.name, fields);
    return outputOf(this.#parts, windowOperator({ ...this.#choice, series, aggregates }));
  }
}
