/**
 * What is spilled comes later than it would have, by up to as long as its topic says (`spillBudgetMs`), while others move
 * the watermark on. With `outOfOrderMs` for the disorder of every day, an event of time t that comes d later meets a
 * watermark of t + d at most. So it changes what it should where windows stay open for d behind the watermark; a join or
 * a correlation keeps nothing open behind it, so that there the watermark itself has to trail by d.
 */
import { topics } from "../../../contracts/topics.ts";
import { PipelineError } from "./checks.ts";
import { type InputDefinition, type PipelineDefinition, stagesOf } from "./definition.ts";

interface Spillable {
  readonly input: InputDefinition;
  readonly budgetMs: number;
}

/** @throws PipelineError where a stage calls late what comes within the budget of a topic that it reads */
export function requireSpillBudgets(definition: PipelineDefinition): PipelineDefinition {
  for (const stage of stagesOf(definition)) {
    const spillable = stagesOf(stage).flatMap(({ inputs }) => inputs.flatMap(spillableOf));
    for (const each of spillable) requireBudget(stage, each);
  }
  return definition;
}

function spillableOf(input: InputDefinition): Spillable[] {
  const budgetMs = topics[input.topic as keyof typeof topics]?.spillBudgetMs;
  return input.role !== "events" || budgetMs === undefined ? [] : [{ input, budgetMs }];
}

function requireBudget(
  { name, inputs, operators }: PipelineDefinition,
  { input, budgetMs }: Spillable,
): void {
  const { topic, outOfOrderMs } = input;
  const refuse = (what: string, isMs: number, setting: string): never => {
    throw new PipelineError(
      `pipeline ${name}: ${what} is ${isMs}, and what is spilled of the topic ${topic} may come ${budgetMs} ms later ` +
        `(spillBudgetMs), and would be too late; make ${setting} at least ${budgetMs}, or lower the topic's ` +
        "spillBudgetMs in contracts/topics.ts",
    );
  };
  for (const { series, schema, latenessMs } of operators) {
    if (latenessMs === null && outOfOrderMs < budgetMs) {
      refuse(`outOfOrderMs before its ${schema.kind} ${series}`, outOfOrderMs, "outOfOrderMs");
    }
    if (latenessMs !== null && latenessMs < budgetMs) {
      refuse(`allowedLatenessMs of its ${schema.kind} ${series}`, latenessMs, "allowedLatenessMs");
    }
  }
  // What is older than the horizon is late whatever a window would take.
  const horizonMs = Math.min(
    ...inputs.map(({ dedupeHorizonMs }) => dedupeHorizonMs ?? Number.POSITIVE_INFINITY),
  );
  if (Math.max(horizonMs, outOfOrderMs) < budgetMs) {
    refuse("dedupe.horizonMs", horizonMs, "dedupe.horizonMs");
  }
}
