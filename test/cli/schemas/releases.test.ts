import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import Type from "typebox";
import { expect, it, onTestFinished } from "vitest";
import { standingText } from "../../../cli/schemas/command.ts";
import {
  compareWithReleases,
  RELEASES_DIRECTORY,
  type Release,
  readReleases,
  type Standing,
  writeRelease,
} from "../../../cli/schemas/releases.ts";
import { catalogue, type EventDefinition } from "../../../contracts/events/catalogue.ts";
import { defineEvent } from "../../../contracts/events/define.ts";

it("the catalogue takes all that was released of it, and what changed is released", async () => {
  const standings = compareWithReleases(catalogue, await readReleases(RELEASES_DIRECTORY));

  expect(standings.filter(({ kind }) => kind !== "released").map(standingText)).toEqual([]);
  expect(standings).toHaveLength(catalogue.length);
});

const cat = defineEvent({
  type: "cat.fed",
  topic: "flights",
  topics: { high: "user-activity" },
  data: Type.Object({ cat: Type.String(), grams: Type.Integer({ minimum: 1 }) }),
  partitionKey: "cat",
  owner: "cats",
  classification: "public",
  futureBoundMs: 1_000,
}) as unknown as EventDefinition;

const withData = (data: unknown): EventDefinition => ({ ...cat, data: data as EventDefinition["data"] });

async function released(...definitions: readonly EventDefinition[]): Promise<readonly Release[]> {
  const directory = await mkdtemp(path.join(tmpdir(), "spillway-releases-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const { release } of compareWithReleases(definitions, [])) await writeRelease(directory, release);
  return readReleases(directory);
}

it("a new type is to be released as version 1, and is then as released", async () => {
  expect(compareWithReleases([cat], [])).toMatchObject([{ kind: "unreleased", release: { version: 1 } }]);
  expect(compareWithReleases([cat], await released(cat))).toMatchObject([{ kind: "released" }]);
});

it("each compatible change is a version more", async () => {
  const wider = withData(
    Type.Object({
      cat: Type.String(),
      grams: Type.Number({ minimum: 0 }),
      food: Type.Optional(Type.String()),
    }),
  );
  const standings = compareWithReleases([wider], await released(cat));

  expect(standings).toMatchObject([{ kind: "unreleased", release: { type: "cat.fed", version: 2 } }]);
});

it.each<[what: string, changed: EventDefinition, rule: string, pointer: string]>([
  ["another topic", { ...cat, topic: "clickstream" }, "topic-changed", "/topic"],
  ["a topic of a priority taken out", { ...cat, topics: {} }, "topic-changed", "/topics/high"],
  ["another key", { ...cat, partitionKey: "grams" as never }, "partition-key-changed", "/partitionKey"],
  ["a lower bound", { ...cat, futureBoundMs: 999 }, "future-bound-lowered", "/futureBoundMs"],
  [
    "a smaller schema",
    withData(Type.Object({ cat: Type.String() })),
    "field-removed",
    "/data/properties/grams",
  ],
])("%s is told with its type, place, rule and way out", async (_, changed, rule, pointer) => {
  const [standing] = compareWithReleases([changed], await released(cat));

  expect(standing).toMatchObject({ kind: "broken", breaks: [{ rule, pointer }] });
  expect(standingText(standing!)).toMatch(`cat.fed ${pointer}: ${rule}: `);
  expect(standingText(standing!)).toMatch("Or define cat.fed.v2 beside it.");
});

it("a type that is gone is told too", async () => {
  const standings = compareWithReleases([], await released(cat));

  expect(standings).toMatchObject([{ kind: "broken", breaks: [{ rule: "type-removed" }] }]);
});

it("the successor of a successor has the next number", () => {
  const release = { type: "cat.fed.v2", version: 1 } as Release;
  const breaks = [{ rule: "topic-changed", pointer: "/topic", detail: "" }] as const;
  const standing: Standing = { kind: "broken", release, breaks };

  expect(standingText(standing)).toMatch("Or define cat.fed.v3 beside it.");
});
