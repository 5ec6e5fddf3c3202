/** An operator behind a filter, map or flatMap of its own: how branches take different parts of one stream. */
import type { Transform } from "../pipeline/definition.ts";
import type { ByteReader, ByteWriter } from "../state/bytes.ts";
import type { SectionSchema } from "../state/section.ts";
import { rejectionOf } from "../task/rejection.ts";
import type { Operator, OperatorContext, OperatorDefinition, OperatorState } from "./operator.ts";

/** Its state is the operator's own: a transform has none. */
export class TransformedDefinition implements OperatorDefinition {
  readonly #operator: OperatorDefinition;
  readonly #transform: Transform;

  constructor(operator: OperatorDefinition, transform: Transform) {
    this.#operator = operator;
    this.#transform = transform;
  }

  get series(): string {
    return this.#operator.series;
  }

  get schema(): SectionSchema {
    return this.#operator.schema;
  }

  get horizonMs(): number {
    return this.#operator.horizonMs;
  }

  newState(): OperatorState {
    return new TransformedState(this.#operator.newState(), this.#transform);
  }
}

class TransformedState implements OperatorState {
  readonly #state: OperatorState;
  readonly #transform: Transform;

  constructor(state: OperatorState, transform: Transform) {
    this.#state = state;
    this.#transform = transform;
  }

  open(context: OperatorContext): Operator {
    return new Transformed(this.#state.open(context), this.#transform);
  }

  writeBase(writer: ByteWriter): void {
    this.#state.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#state.writeDelta(writer);
  }

  readBase(reader: ByteReader, written: SectionSchema): void {
    this.#state.readBase(reader, written);
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.#state.readDelta(reader, written);
  }

  restored(): void {
    this.#state.restored();
  }
}

class Transformed implements Operator {
  readonly #operator: Operator;
  readonly #transform: Transform;

  constructor(operator: Operator, transform: Transform) {
    this.#operator = operator;
    this.#transform = transform;
  }

  get dueMs(): number {
    return this.#operator.dueMs;
  }

  stage(event: unknown, key: string, timeMs: number, watermarkMs: number, input: number): void {
    const elements = rejectionOf(
      "user-code-failed",
      () => this.#transform(event),
      "a step after keyBy threw",
    );
    for (const element of elements) this.#operator.stage(element, key, timeMs, watermarkMs, input);
  }

  commit(watermarkMs: number): number {
    return this.#operator.commit(watermarkMs);
  }

  discard(): void {
    this.#operator.discard();
  }

  fire(watermarkMs: number, maxSteps: number): number {
    return this.#operator.fire(watermarkMs, maxSteps);
  }
}
