import { expect, it } from "vitest";
import { busRules } from "../../../local/notices/event-bus.ts";
import type { Plan } from "../../../local/plan/plan.ts";

it("leaves out a rule that only tells people of an event of AWS, and names a target that does not run here", () => {
  const stack = { resources: new Map([["Pages", { type: "AWS::SNS::Topic" }]]) };
  const ruleFor = (logicalId: string, target: unknown) => ({
    stack,
    logicalId,
    type: "AWS::Events::Rule",
    properties: { EventPattern: { source: ["aws.ecs"] }, Targets: [{ Id: "0", Arn: target }] },
  });
  const rules = [ruleFor("Told", { Ref: "Pages" }), ruleFor("Run", { "Fn::GetAtt": ["Function", "Arn"] })];
  const plan = {
    resources: () => rules,
    find: () => undefined,
    resolver: { properties: ({ properties }: (typeof rules)[number]) => properties },
  } as unknown as Plan;
  const said: string[] = [];

  expect(busRules(plan, new Map(), (line) => void said.push(line)).map(({ name }) => name)).toEqual(["Run"]);
  expect(said).toEqual(["Run: one of its targets is no function that runs locally."]);
});
