/** `spillway explain` as it is typed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { explainOptions } from "../../../cli/explain/command.ts";
import { topologyText } from "../../../cli/explain/text.ts";
import { topologyOf } from "../../../cli/explain/topology.ts";
import { airportDelays } from "../../../processors/pipelines/airport-delays.ts";
import { fraudSignals } from "../../../processors/pipelines/fraud-signals.ts";

const launcher = fileURLToPath(new URL("../../../cli/spillway.mjs", import.meta.url));
const explain = (...args: string[]) =>
  spawnSync(process.execPath, [launcher, "explain", ...args], { encoding: "utf8" });

test("spillway explain prints it, as text and as JSON", () => {
  expect(explain("airport-delays").stdout).toBe(`${topologyText(topologyOf(airportDelays))}\n`);
  const json = explain("--json", "--pipeline", "processors/pipelines/airport-delays.ts");
  expect(JSON.parse(json.stdout)).toEqual(topologyOf(airportDelays));
});

test("a name behind the options is one too", () => {
  const { status, stdout, stderr } = explain("--json", "fraud-signals");

  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual(topologyOf(fraudSignals));
});

test.each([
  [["fraud-signals", "--json"]],
  [["--json", "--name", "fraud-signals"]],
  [["--name=fraud-signals", "--json"]],
  [["--pipeline", "my/module.ts", "--json", "fraud-signals"]],
  [["--pipeline", "my/module.ts", "fraud-signals", "--json"]],
])("one of several pipelines is named by %j", (args) => {
  expect(explainOptions(args)).toMatchObject({ name: "fraud-signals", json: true });
});

test.each([
  [["nonsense"], /no pipeline "nonsense"; it has: .*airport-delays/],
  [["airport-delays", "--nonsense"], /--nonsense/],
  [["airport-delays", "fraud-signals"], /one name is enough, not airport-delays fraud-signals/],
  [["airport-delays", "--name", "fraud-signals"], /two names, airport-delays and --name fraud-signals/],
  [["--name", "nonsense"], /no pipeline "nonsense"/],
  [[], /several pipelines, say which with --name: airport-delays, /],
  [["--pipeline", "nowhere.ts"], /nowhere\.ts does not exist/],
])("spillway explain %j exits with 2", (args, message) => {
  const { status, stderr } = explain(...args);

  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});
