import type { CfnAlarm, IAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { Alarm, AlarmRule, CompositeAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Construct } from "constructs";
import {
  type AlarmDefinition,
  alarmName,
  type CompositeDefinition,
  comparisonOf,
  describe,
  treatmentOf,
} from "./alarm.ts";
import type { Notifications } from "./notifications.ts";

export interface AlarmsProps {
  readonly environment: string;
  readonly alarms: readonly AlarmDefinition[];
  /** Each after those that suppress it. */
  readonly composites: readonly CompositeDefinition[];
  readonly notifications: Notifications;
}

/** The alarms, and whom each of them tells. What is a member of a composite tells nobody: the composite does. */
export class Alarms extends Construct {
  readonly #props: AlarmsProps;
  readonly #made = new Map<string, Alarm | CompositeAlarm>();

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    const members = new Set(props.composites.flatMap((composite) => composite.members));
    for (const alarm of props.alarms) this.makeAlarm(alarm, !members.has(alarm.name));
    for (const composite of props.composites) this.makeComposite(composite);
  }

  /** Those that fit, in the order in which they were made. */
  select(fits: (definition: AlarmDefinition | CompositeDefinition) => boolean): readonly IAlarm[] {
    const { alarms, composites } = this.#props;
    return [...alarms, ...composites].filter(fits).map(({ name }) => this.made(name));
  }

  private makeAlarm(definition: AlarmDefinition, notifies: boolean): void {
    const { name, metric, threshold, periods } = definition;
    const alarm = new Alarm(this, name, {
      alarmName: alarmName(this.#props.environment, name),
      alarmDescription: describe(definition),
      metric,
      threshold,
      comparisonOperator: comparisonOf(definition),
      evaluationPeriods: periods,
      treatMissingData: treatmentOf(definition),
    });
    // For docs/alarms.md, and for whoever reads the template.
    const resource = alarm.node.defaultChild as CfnAlarm;
    resource.addMetadata("missingData", definition.missingData.because);
    resource.addMetadata("unit", definition.unit);
    if (notifies) this.tell(alarm, definition);
    this.#made.set(name, alarm);
  }

  private makeComposite(definition: CompositeDefinition): void {
    const { name, members, suppressedBy } = definition;
    const composite = new CompositeAlarm(this, name, {
      compositeAlarmName: alarmName(this.#props.environment, name),
      alarmDescription: describe(definition),
      alarmRule: AlarmRule.anyOf(...members.map((member) => this.made(member))),
      ...(suppressedBy !== undefined && { actionsSuppressor: this.made(suppressedBy) }),
    });
    this.tell(composite, definition);
    this.#made.set(name, composite);
  }

  private tell(alarm: Alarm | CompositeAlarm, { severity }: AlarmDefinition | CompositeDefinition): void {
    alarm.addAlarmAction(new SnsAction(this.#props.notifications.topics[severity]));
    // Whoever was woken wants to know that it is over.
    if (severity === "page") alarm.addOkAction(new SnsAction(this.#props.notifications.topics.page));
  }

  private made(name: string): Alarm | CompositeAlarm {
    const alarm = this.#made.get(name);
    if (alarm) return alarm;
    throw new Error(`No alarm is called ${name}: a composite names what lib/observability does not define.`);
  }
}
