/**
 * Sends each element on under another key, through a topic of the pipeline's own, to the tasks that keep that key. It
 * judges nothing by time and keeps nothing but how far it has told: duplicates and late events are judged downstream,
 * where an event's copies meet whatever partitions they came in.
 */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type {
  Operator,
  OperatorContext,
  OperatorDefinition,
  OperatorSchema,
  OperatorState,
} from "../operator.ts";
import { Forward } from "./forward.ts";
import { Progress } from "./progress.ts";

/** Each partition of the topic gets a watermark record for at most so many elements. */
const MAX_RECORDS_BETWEEN_WATERMARKS = 1_000;

/** The stage that forwards, and the topic that it forwards to. */
export interface ForwardingStage {
  /** `<pipeline>.<name of the new key>`. */
  readonly stage: string;
  readonly topic: string;
  /** Of the topic; null: as many as the inputs have. */
  readonly partitions: number | null;
}

export class ForwardDefinition implements OperatorDefinition {
  readonly series: string;
  readonly topic: string;
  /** Of the topic; null: as many as the inputs have. */
  readonly partitions: number | null;
  readonly schema: OperatorSchema;
  readonly horizonMs = 0;
  readonly latenessMs = Number.POSITIVE_INFINITY;

  constructor({ stage, topic, partitions }: ForwardingStage) {
    this.series = stage;
    this.topic = topic;
    this.partitions = partitions;
    this.schema = { kind: "forward", settings: {}, aggregates: [] };
  }

  newState(): OperatorState {
    return new ForwardState(this);
  }
}

class ForwardState implements OperatorState {
  readonly #definition: ForwardDefinition;
  readonly #progress = new Progress(MAX_RECORDS_BETWEEN_WATERMARKS);

  constructor(definition: ForwardDefinition) {
    this.#definition = definition;
  }

  /** It keeps nothing of the elements. */
  get entries(): number {
    return 0;
  }

  open(context: OperatorContext): Operator {
    return new Forward(this.#definition, this.#progress, context);
  }

  writeBase(writer: ByteWriter): void {
    this.#progress.write(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#progress.write(writer);
  }

  readBase(reader: ByteReader): void {
    this.#progress.read(reader);
  }

  readDelta(reader: ByteReader): void {
    this.#progress.read(reader);
  }

  restored(): void {
    // Nothing is derived.
  }
}
