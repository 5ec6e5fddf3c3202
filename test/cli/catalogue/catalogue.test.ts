/** `spillway catalogue`: that docs/catalogue.md is today's, and what it says of events and topics. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { deployedCatalogue } from "../../../cli/catalogue/command.ts";
import { cataloguePage } from "../../../cli/catalogue/page.ts";
import { topologyOf } from "../../../cli/explain/topology.ts";
import { catalogue } from "../../../contracts/events/catalogue.ts";
import { topics } from "../../../contracts/topics.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";

const launcher = fileURLToPath(new URL("../../../cli/spillway.mjs", import.meta.url));

test("docs/catalogue.md is today's", async () => {
  await expect(await deployedCatalogue()).toMatchFileSnapshot("../../../docs/catalogue.md");
});

test("spillway catalogue prints it", async () => {
  const { status, stdout } = spawnSync(process.execPath, [launcher, "catalogue"], { encoding: "utf8" });

  expect(status).toBe(0);
  expect(stdout).toBe(await deployedCatalogue());
});

test("every type and topic has its row, with owner, classification and readers", async () => {
  const rows = (await deployedCatalogue()).split("\n").filter((line) => line.startsWith("| `"));
  const rowOf = (name: string) => rows.find((row) => row.startsWith(`| \`${name}\` |`));

  for (const { type, owner, classification } of catalogue) {
    expect(rowOf(type)).toContain(`| ${owner} | ${classification} |`);
  }
  for (const topic of Object.keys(topics)) expect(rowOf(topic)).toBeDefined();
  for (const { name } of pipelines) expect(rowOf(`${name}.late`)).toContain(`| \`${name}\` | nobody |`);
  expect(rowOf("payment.made")).toContain("`fraud-signals`");
});

test("a type that is not released, and a topic that nobody reads, are said to be", () => {
  const [definition] = catalogue;
  const page = cataloguePage(
    [definition!],
    [],
    [topologyOf(pipelines.find(({ name }) => name === "user-sessions")!)],
  );

  expect(page).toMatch(/^\| `flight\.departed` \| not released \|.*\| nobody \|$/m);
});
