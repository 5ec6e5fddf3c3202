/** What a pipeline, or a branch of it, makes of its events, and how that completes it. */
import type { OperatorDefinition } from "../operators/operator.ts";
import { TransformedDefinition } from "../operators/transformed.ts";
import { PipelineError } from "./checks.ts";
import type { PipelineDefinition, Transform } from "./definition.ts";
import { inputsOf } from "./side-stream.ts";
import type { FromOptions, KeyedStreamParts } from "./stream-parts.ts";

export interface KeyedParts {
  readonly stream: KeyedStreamParts;
  /** What the results are called. */
  readonly series: string;
  /** The stream that it is joined with. */
  readonly right?: KeyedStreamParts;
  /** Steps after keyBy. */
  readonly transform: Transform | null;
}

/** An operator with the steps between keyBy and itself. */
export function outputOf(parts: KeyedParts, operator: OperatorDefinition): Outputs {
  const { transform } = parts;
  return new Outputs(parts, [transform === null ? operator : new TransformedDefinition(operator, transform)]);
}

/** What a pipeline, or a branch of it, makes of its events. */
export class Outputs {
  readonly #parts: KeyedParts;
  readonly operators: readonly OperatorDefinition[];

  constructor(parts: KeyedParts, operators: readonly OperatorDefinition[]) {
    this.#parts = parts;
    this.operators = operators;
  }

  /** Writes results to `<name>.results`, or `<name>.<branch>.results` for each branch. Completes the pipeline. */
  toResults(): PipelineDefinition {
    const { stream, right } = this.#parts;
    const { name, service, upstream } = stream;
    const inputs = inputsOf(stream, right, (dedupe) => dedupeHorizonOf(name, dedupe, this.operators));
    return Object.freeze({
      name,
      service,
      inputs,
      operators: this.operators,
      upstream,
      forwards: null,
    });
  }
}

export function dedupeHorizonOf(
  name: string,
  dedupe: FromOptions["dedupe"],
  operators: readonly OperatorDefinition[],
): number | null {
  if (dedupe === false) return null;
  if (dedupe !== undefined) return dedupe.horizonMs;
  const horizonMs = Math.max(...operators.map((operator) => operator.horizonMs));
  if (Number.isFinite(horizonMs)) return horizonMs;
  throw new PipelineError(
    `pipeline ${name}: an event may change its state for ever, so ids would be remembered for ever; ` +
      "say dedupe: { horizonMs } or dedupe: false",
  );
}
