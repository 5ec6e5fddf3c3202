import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeValidators } from "../../../lambdas/ingest/generate-validators.ts";
import { validators } from "../../../lambdas/ingest/validators.ts";
import { flight } from "../support/events.ts";

let folder: string;
let generated: typeof validators;
let source: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "spillway-validators-"));
  const outFile = path.join(folder, "made", "validators.mjs");
  await writeValidators(outFile);
  source = await readFile(outFile, "utf8");
  ({ validators: generated } = await import(pathToFileURL(outFile).href));
});

afterAll(() => rm(folder, { recursive: true }));

it("generates a validator for every type of the catalogue", () => {
  expect([...generated.keys()]).toEqual([...validators.keys()]);
});

it("generates what stands alone: no eval, no import", () => {
  // It was imported from a folder without node_modules; that Ajv names its helper in a string is no import.
  expect(source).not.toMatch(/\beval\(|new Function|^import\b/m);
});

const data = flight.data as Record<string, unknown>;

it.each([
  ["valid data", data],
  ["a wrong type", { ...data, delayMin: "12" }],
  ["a missing field", { origin: "ATL" }],
  ["no object", null],
  ["nothing", undefined],
])("judges %s as the compiled validator does", (_, value) => {
  const [built, compiled] = [generated.get("flight.departed")!, validators.get("flight.departed")!];
  expect(built(value)).toBe(compiled(value));
  expect(built.errors).toEqual(compiled.errors);
});

it("counts characters, not UTF-16 units", () => {
  const user = { userId: "😀".repeat(128), latitude: 0, longitude: 0, accuracyM: 0 };
  expect(generated.get("location.reported")!(user)).toBe(true);
});
