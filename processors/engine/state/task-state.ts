/** Everything a task must have back after a crash; what a snapshot holds. */
import type { OperatorState } from "../operators/operator.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { InputState } from "./input-state.ts";
import type { SectionSchema, StateSection } from "./section.ts";

/** What became of the records read; exact after a crash, since it is part of the state. */
export interface Counters {
  /** Events that counted for at least one operator. */
  counted: number;
  late: number;
  duplicate: number;
  dead: number;
  /** Records that are none of this pipeline's: other types on a shared topic, and what it filters out. */
  ignored: number;
  /** Results emitted. */
  results: number;
}

/** In the order in which they are written. */
export const COUNTERS = [
  "counted",
  "late",
  "duplicate",
  "dead",
  "ignored",
  "results",
] as const satisfies readonly (keyof Counters)[];

export interface TaskState {
  readonly inputs: readonly InputState[];
  readonly operators: readonly OperatorState[];
  readonly counters: Counters;
  /** The task's watermark; minus infinity until the first event. */
  watermarkMs: number;
}

/** The state of a task that has read nothing, starting at these offsets. */
export function emptyState(definition: PipelineDefinition, offsets: readonly number[]): TaskState {
  return {
    inputs: definition.inputs.map((input, index) => new InputState(input, offsets[index]!)),
    operators: definition.operators.map((operator) => operator.newState()),
    counters: { counted: 0, late: 0, duplicate: 0, dead: 0, ignored: 0, results: 0 },
    watermarkMs: Number.NEGATIVE_INFINITY,
  };
}

/** The state's sections in the order in which they are written. */
export const sectionsOf = ({ inputs, operators }: TaskState): readonly StateSection[] => [
  ...inputs,
  ...operators,
];

export const schemasOf = ({ name, inputs, operators }: PipelineDefinition): readonly SectionSchema[] => [
  ...inputs.map((input) => InputState.schema(input)),
  ...operators.map(({ series, schema }) => ({ name: sectionName(name, series), ...schema })),
];

/** Without the pipeline's name, which is another one where a new version goes on from a savepoint. */
const sectionName = (pipeline: string, series: string): string => `.${series.slice(pipeline.length + 1)}`;
