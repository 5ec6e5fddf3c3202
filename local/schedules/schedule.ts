/** EventBridge rules with a rate, run by a timer. */
import { randomUUID } from "node:crypto";
import { ACCOUNT_ID } from "../assembly/identities.ts";
import { arrayOf, objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import type { LambdaFunction } from "../functions/function.ts";
import { hasPattern } from "../notices/event-bus.ts";
import { displayNames, type Plan } from "../plan/plan.ts";

export interface ScheduleOptions {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly everyMs: number;
  readonly targets: readonly LambdaFunction[];
  readonly warn: (line: string) => void;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Milliseconds of `rate(5 minutes)` and its like; undefined of any other expression. */
export function rateMs(expression: string): number | undefined {
  const [, count = "", unit = ""] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  return UNIT_MS[unit] === undefined ? undefined : Number(count) * UNIT_MS[unit];
}

/** A schedule for every enabled rule with a rate and a function; others without a pattern are named in `warn`. */
export function makeSchedules(
  plan: Plan,
  functions: ReadonlyMap<Resource, LambdaFunction>,
  warn: (line: string) => void,
): Schedule[] {
  const rules = plan.resources("AWS::Events::Rule").filter((rule) => !hasPattern(rule));
  const labels = displayNames(rules);
  return rules.flatMap((rule) => {
    const name = labels.get(rule)!;
    const { ScheduleExpression, State, Targets } = plan.resolver.properties(rule);
    if (textOf(State) === "DISABLED") return [];
    const everyMs = rateMs(textOf(ScheduleExpression) ?? "");
    if (everyMs === undefined) {
      warn(`${name}: only schedules with a rate run locally, not ${textOf(ScheduleExpression)}.`);
      return [];
    }
    const targets = arrayOf(Targets).flatMap((target) => {
      const found = plan.find(textOf(objectOf(target).Arn), "AWS::Lambda::Function");
      const lambda = found && functions.get(found);
      if (lambda === undefined) warn(`${name}: one of its targets is no function that runs locally.`);
      return lambda ?? [];
    });
    const { region } = plan.assembly;
    return [new Schedule({ name, arn: plan.identities.arn(rule), region, everyMs, targets, warn })];
  });
}

/** Invokes its functions every so often, for the first time after one interval. A failed run is not tried again. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  start(): void {
    const { everyMs, targets } = this.#options;
    this.#timer = setInterval(() => {
      for (const target of targets) {
        const run = this.#run(target).finally(() => this.#running.delete(run));
        this.#running.add(run);
      }
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  async #run(target: LambdaFunction): Promise<void> {
    const { name, arn, region, warn } = this.#options;
    const result = await target.invoke(scheduledEvent(arn, region, new Date()));
    if (result.kind === "answer") return;
    warn(`${name}: its function failed (${result.kind === "error" ? result.error.errorType : result.kind})`);
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-scheduled-events.html; the time is in whole seconds. */
export const scheduledEvent = (ruleArn: string, region: string, time: Date): string =>
  JSON.stringify({
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: ACCOUNT_ID,
    time: time.toISOString().replace(/\.\d+Z$/, "Z"),
    region,
    resources: [ruleArn],
    detail: {},
  });
