/**
 * A key of which one value may have most of the events. They are aggregated where they are, in every partition; the
 * rows of each key then go to one task, which merges them.
 */
import type { NamedAggregate } from "../aggregates/row-layout.ts";
import type { ForwardingStage } from "../operators/forward/forward-definition.ts";
import { mergingAggregates, type PartialRow, partialsSource } from "../operators/forward/partial.ts";
import { PartialsDefinition } from "../operators/forward/partials-definition.ts";
import { windowOperator } from "../operators/windows/window-operator.ts";
import type { FixedWindow } from "../windows/window.ts";
import { type PipelineDefinition, settingsOf } from "./definition.ts";
import { dedupeHorizonOf, type Output, outputOf } from "./outputs.ts";
import { behind } from "./rekey.ts";
import { inputsOf } from "./side-stream.ts";
import type { Source } from "./source.ts";
import type { KeyedStreamParts } from "./stream-parts.ts";
import {
  type AggregateFields,
  namedAggregates,
  type ResultOfFields,
  type WindowChoice,
  type WindowOptions,
  windowChoice,
} from "./window-step.ts";

export class SpreadStream<Event> {
  readonly #stream: KeyedStreamParts;
  readonly #stage: ForwardingStage;

  constructor(stream: KeyedStreamParts, stage: ForwardingStage) {
    this.#stream = stream;
    this.#stage = stage;
  }

  /** Cuts event time into windows of fixed size: {@link tumbling} or {@link hopping}. */
  window(window: FixedWindow, options: WindowOptions = {}): SpreadWindows<Event> {
    const choice = windowChoice(this.#stream.name, window, options);
    return new SpreadWindows<Event>(this.#stream, this.#stage, choice);
  }
}

class SpreadWindows<Event> {
  readonly #stream: KeyedStreamParts;
  readonly #stage: ForwardingStage;
  readonly #choice: WindowChoice<FixedWindow>;

  constructor(stream: KeyedStreamParts, stage: ForwardingStage, choice: WindowChoice<FixedWindow>) {
    this.#stream = stream;
    this.#stage = stage;
    this.#choice = choice;
  }

  /** What is kept of each key and window: the result is an object with a field for each name. */
  aggregate<Fields extends AggregateFields<Event>>(fields: Fields): Output<ResultOfFields<Fields>> {
    const { name: series } = this.#stream;
    const aggregates = namedAggregates(series, fields);
    const stream: KeyedStreamParts = {
      ...behind(this.#stream, this.#stage, partialsSource(aggregates) as Source<unknown>),
      upstream: [this.#partials(aggregates)],
      key: (partial) => (partial as PartialRow).key,
    };
    const merged = windowOperator({ ...this.#choice, series, aggregates: mergingAggregates(aggregates) });
    return outputOf({ stream, series, lookups: [], transform: null }, merged);
  }

  /** The stage that aggregates what is in each partition. It dedupes too, as nobody can tell in a row. */
  #partials(aggregates: readonly NamedAggregate[]): PipelineDefinition {
    const { topic, partitions, stage } = this.#stage;
    const { upstream } = this.#stream;
    const operators = [new PartialsDefinition({ ...this.#stage, ...this.#choice, aggregates })];
    return Object.freeze({
      name: stage,
      ...settingsOf(this.#stream),
      inputs: inputsOf(this.#stream, undefined, (dedupe) => dedupeHorizonOf(stage, dedupe, operators)),
      operators,
      resultSchemas: new Map(),
      access: "private",
      notify: false,
      upstream,
      forwards: { topic, partitions },
    });
  }
}
