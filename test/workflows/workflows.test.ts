/** The workflows, as far as they can be judged without GitHub. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { environmentNames } from "../../lib/config/environments.ts";
import { parseYaml, type Surroundings, workflowFaults } from "./faults.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const folder = ".github/workflows";
const files = readdirSync(join(root, folder));

const surroundings: Surroundings = {
  scripts: JSON.parse(read("package.json")).scripts,
  has: (path) => (path.endsWith(".yml") ? existsSync(join(root, path)) : isExecutable(join(root, path))),
};

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

test("there are workflows", () => {
  expect(files.toSorted()).toEqual(["ci.yml", "deploy-environment.yml", "deploy.yml"]);
});

test.each(files)("%s has least permissions, pinned actions and commands that exist", (file) => {
  expect(workflowFaults(read(join(folder, file)), surroundings)).toEqual([]);
});

describe("a fault would be seen", () => {
  const ci = read(join(folder, "ci.yml"));
  const checkout = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0";

  test.each([
    ["  pull_request:\n", "  pull_request_target:\n", "runs on pull_request_target"],
    [
      "permissions: {}",
      "permissions:\n  contents: write",
      "does not begin without permissions (permissions: {})",
    ],
    ["    permissions:\n      contents: read\n", "", "job test states no permissions"],
    ["contents: read", "contents: write", "job test may write contents"],
    [checkout, "actions/checkout@v5 # v5.0.0", "job test uses actions/checkout@v5, which is no commit"],
    [`${checkout}\n`, `${checkout.split(" ")[0]}\n`, /^does not say which version this is: .*checkout/],
    ["          persist-credentials: false\n", "", "job test leaves the token in its checkout"],
    ["run: .ci/run", "run: .ci/walk", "job test runs .ci/walk, which is not there"],
    ["run: npm ci\n", "run: npm run nonsense\n", "package.json has no script nonsense"],
    [
      "run: npm ci\n",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's.
      "run: echo ${{ github.event.pull_request.title }}\n",
      /^job templates has an expression in a script/,
    ],
  ] as const)("%j made %j", (was, is, fault) => {
    expect(ci).toContain(was);
    const spoiled = ci.replace(was, is);

    expect(workflowFaults(spoiled, surroundings)).toContainEqual(
      typeof fault === "string" ? fault : expect.stringMatching(fault),
    );
  });
});

test("the environments are those that there are, in their order, each after the one before", () => {
  const { jobs, on } = parseYaml(read(join(folder, "deploy.yml")));
  const inTurn = Object.entries<{ needs?: string; with: { environment: string } }>(jobs).filter(
    ([name]) => name !== "one",
  );

  expect(inTurn.map(([, job]) => job.with.environment)).toEqual(environmentNames);
  expect(inTurn.map(([, { needs }]) => needs)).toEqual([undefined, ...environmentNames.slice(0, -1)]);
  expect(on.workflow_dispatch.inputs.environment.options).toEqual(environmentNames);
  for (const text of [read(join(folder, "ci.yml")), read(".github/template-diff")]) {
    expect(text).toContain(`for environment in ${environmentNames.join(" ")}; do`);
  }
});

test("a deployment waits for the GitHub environment, is alone, and is smoked", () => {
  const { jobs } = parseYaml(read(join(folder, "deploy-environment.yml")));

  expect(jobs.deploy).toMatchObject({
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's.
    environment: "${{ inputs.environment }}",
    concurrency: { "cancel-in-progress": false },
  });
  const runs = jobs.deploy.steps.flatMap(({ run = [] }) => run);
  expect(runs).toEqual([
    "npm ci --ignore-scripts",
    'npm run deploy -- -c environment="$ENVIRONMENT"',
    'npm run smoke -- --env "$ENVIRONMENT"',
  ]);
});

test("updates leave out the CLI that was published by accident, and cover everything that is pinned", () => {
  const { updates } = parseYaml(read(".github/dependabot.yml"));
  const npm = updates.find((update: Record<string, unknown>) => update["package-ecosystem"] === "npm");

  expect(npm.ignore).toContainEqual({ "dependency-name": "aws-cdk", versions: ["3.0.0"] });
  expect(updates.map((update: Record<string, unknown>) => update["package-ecosystem"]).toSorted()).toEqual([
    "docker",
    "github-actions",
    "npm",
  ]);
});

test.each([".ci/run", ".github/template-diff"])("%s is a script that bash can read", (path) => {
  expect(spawnSync("bash", ["-n", join(root, path)], { encoding: "utf8" })).toMatchObject({
    status: 0,
    stderr: "",
  });
});
