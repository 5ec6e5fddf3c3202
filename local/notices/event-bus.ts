/** EventBridge buses: what is put on one goes to the functions of the rules that it fits. */
import { randomUUID } from "node:crypto";
import { ACCOUNT_ID } from "../assembly/identities.ts";
import { arrayOf, type JsonObject, objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import type { LambdaFunction } from "../functions/function.ts";
import { displayNames, type Plan } from "../plan/plan.ts";

/** An entry of PutEvents (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html). */
export interface PutEntry {
  readonly EventBusName?: string;
  readonly Source?: string;
  readonly DetailType?: string;
  /** JSON text. */
  readonly Detail?: string;
}

export interface BusRule {
  readonly name: string;
  /** The bus, by name. */
  readonly bus: string;
  /** Sources that it takes, exactly. */
  readonly sources: readonly string[];
  readonly targets: readonly LambdaFunction[];
}

/** The rules with a pattern of sources alone, and with functions; what is left out is named in `warn`. */
export function busRules(
  plan: Plan,
  functions: ReadonlyMap<Resource, LambdaFunction>,
  warn: (line: string) => void,
): BusRule[] {
  const rules = plan
    .resources("AWS::Events::Rule")
    .filter((rule) => hasPattern(rule) && !tellsPeopleOnly(rule));
  const labels = displayNames(rules);
  return rules.flatMap((rule) => {
    const name = labels.get(rule)!;
    const { EventPattern, EventBusName, State, Targets } = plan.resolver.properties(rule);
    if (textOf(State) === "DISABLED") return [];
    const { source, ...others } = objectOf(EventPattern);
    const sources = arrayOf(source).flatMap((each) => textOf(each) ?? []);
    if (sources.length !== arrayOf(source).length || sources.length === 0 || Object.keys(others).length > 0) {
      warn(`${name}: only patterns of exact sources are matched locally; left out.`);
      return [];
    }
    const targets = arrayOf(Targets).flatMap((target) => {
      const found = plan.find(textOf(objectOf(target).Arn), "AWS::Lambda::Function");
      const lambda = found && functions.get(found);
      if (lambda === undefined) warn(`${name}: one of its targets is no function that runs locally.`);
      return lambda ?? [];
    });
    return [{ name, bus: textOf(EventBusName) ?? "default", sources, targets }];
  });
}

/** By what the template says: what a rule that only tells people refers to may be nothing that is known here. */
export const hasPattern = ({ properties }: Resource): boolean => properties.EventPattern !== undefined;

/** A rule for events of AWS whose targets are topics of SNS: like an alarm, it changes nothing a handler can see. */
const tellsPeopleOnly = ({ stack, properties }: Resource): boolean =>
  arrayOf(properties.Targets).every((target) => {
    const logicalId = textOf(objectOf(objectOf(target).Arn).Ref);
    return stack.resources.get(logicalId ?? "")?.type === "AWS::SNS::Topic";
  });

export class EventBuses {
  readonly #rules: readonly BusRule[];
  readonly #region: string;
  readonly #warn: (line: string) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(rules: readonly BusRule[], region: string, warn: (line: string) => void) {
    this.#rules = rules;
    this.#region = region;
    this.#warn = warn;
  }

  /** The event's id. Its delivery goes on by itself, and is not tried again where the function fails. */
  put({ EventBusName = "default", Source = "", DetailType = "", Detail = "{}" }: PutEntry): string {
    const id = randomUUID();
    // A bus may be named by its ARN too.
    const bus = EventBusName.split("/").at(-1);
    const event: JsonObject = {
      version: "0",
      id,
      "detail-type": DetailType,
      source: Source,
      account: ACCOUNT_ID,
      time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      region: this.#region,
      resources: [],
      detail: JSON.parse(Detail),
    };
    for (const rule of this.#rules) {
      if (rule.bus !== bus || !rule.sources.includes(Source)) continue;
      for (const target of rule.targets) this.#deliver(rule, target, JSON.stringify(event));
    }
    return id;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running);
  }

  #deliver(rule: BusRule, target: LambdaFunction, payload: string): void {
    const run = this.#invoke(rule, target, payload).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #invoke({ name }: BusRule, target: LambdaFunction, payload: string): Promise<void> {
    const result = await target.invoke(payload);
    if (result.kind === "answer") return;
    const why = result.kind === "error" ? result.error.errorType : result.kind;
    this.#warn(`${name}: its function failed (${why}), and is not called again here.`);
  }
}
