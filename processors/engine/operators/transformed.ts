/** An operator behind steps of its own after keyBy: filter, map, flatMap, or a look-up in a table. */
import type { ByteReader, ByteWriter } from "../state/bytes.ts";
import type { SectionSchema } from "../state/section.ts";
import { rejectionOf } from "../task/rejection.ts";
import type {
  Operator,
  OperatorContext,
  OperatorDefinition,
  OperatorSchema,
  OperatorState,
} from "./operator.ts";

/** What an element of a key becomes: none, one or several. */
type ElementsOf = (element: unknown, key: string) => readonly unknown[];

export interface Step {
  open(context: OperatorContext): ElementsOf;
}

/** Its state is the operator's own: a transform has none. */
export class TransformedDefinition implements OperatorDefinition {
  readonly #operator: OperatorDefinition;
  readonly #step: Step;
  readonly #untouchedInput: number | undefined;

  /** @param untouchedInput index of an input whose elements are none of the step's: what the stream is joined with */
  constructor(operator: OperatorDefinition, step: Step, untouchedInput?: number) {
    this.#operator = operator;
    this.#step = step;
    this.#untouchedInput = untouchedInput;
  }

  get series(): string {
    return this.#operator.series;
  }

  get schema(): OperatorSchema {
    return this.#operator.schema;
  }

  get horizonMs(): number {
    return this.#operator.horizonMs;
  }

  get latenessMs(): number | null {
    return this.#operator.latenessMs;
  }

  get closedAfterMs(): number | undefined {
    return this.#operator.closedAfterMs;
  }

  newState(): OperatorState {
    return new TransformedState(this.#operator.newState(), this.#step, this.#untouchedInput);
  }
}

class TransformedState implements OperatorState {
  readonly #state: OperatorState;
  readonly #step: Step;
  readonly #untouchedInput: number | undefined;

  constructor(state: OperatorState, step: Step, untouchedInput: number | undefined) {
    this.#state = state;
    this.#step = step;
    this.#untouchedInput = untouchedInput;
  }

  get entries(): number {
    return this.#state.entries;
  }

  open(context: OperatorContext): Operator {
    return new Transformed(this.#state.open(context), this.#step.open(context), this.#untouchedInput);
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
  readonly #elementsOf: ElementsOf;
  readonly #untouchedInput: number | undefined;
  /** Whether the event that was staged last became anything. */
  #became = true;

  constructor(operator: Operator, elementsOf: ElementsOf, untouchedInput: number | undefined) {
    this.#operator = operator;
    this.#elementsOf = elementsOf;
    this.#untouchedInput = untouchedInput;
  }

  get dueMs(): number {
    return this.#operator.dueMs;
  }

  stage(event: unknown, key: string, timeMs: number, watermarkMs: number, input: number): void {
    this.#became = true;
    if (input === this.#untouchedInput) {
      this.#operator.stage(event, key, timeMs, watermarkMs, input);
      return;
    }
    const elements = rejectionOf(
      "user-code-failed",
      () => this.#elementsOf(event, key),
      "a step after keyBy threw",
    );
    this.#became = elements.length > 0;
    for (const element of elements) this.#operator.stage(element, key, timeMs, watermarkMs, input);
  }

  commit(watermarkMs: number): number {
    return this.#operator.commit(watermarkMs);
  }

  needsRow(key: string, timeMs: number): boolean {
    return this.#became && this.#operator.needsRow(key, timeMs);
  }

  discard(): void {
    this.#operator.discard();
  }

  fire(watermarkMs: number, maxSteps: number): number {
    return this.#operator.fire(watermarkMs, maxSteps);
  }
}
