/** Real flights as a file, and what SQL says of them against what replay makes of them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeFlights } from "../../../cli/generate/write-flights.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { type DataOf, flightDeparted } from "../../../contracts/events/catalogue.ts";
import { parseRfc3339 } from "../../../contracts/rfc3339.ts";
import { airportDelays } from "../../../processors/pipelines/airport-delays.ts";
import { runReplay } from "../replay/run-replay.ts";

const EVENTS = 20_000;
const folder = mkdtempSync(path.join(tmpdir(), "spillway-generate-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is written of so many flights, as lines. */
async function written(events: number, partitions = 1) {
  const files = { out: path.join(folder, "flights.ndjson"), truth: path.join(folder, "truth.ndjson") };
  await writeFlights({ events, partitions }, files, new AbortController().signal);
  return { lines: linesOf(files.out), truth: linesOf(files.truth) };
}

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n").slice(0, -1);
const read = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line) as CloudEvent<DataOf<typeof flightDeparted>>);

describe("the events", () => {
  let lines: readonly string[];
  beforeAll(async () => {
    ({ lines } = await written(EVENTS));
  });

  test("are as many as were asked for, each once", () => {
    expect(new Set(read(lines).map(({ id }) => id)).size).toBe(EVENTS);
  });

  test("are what the door takes", () => {
    const isValid = new Ajv({ strict: true }).compile(flightDeparted.data);

    for (const event of read(lines)) {
      expect(isValid(event.data), JSON.stringify(isValid.errors)).toBe(true);
      expect(parseRfc3339(event.time)).toBeDefined();
      expect(event).toMatchObject({
        specversion: "1.0",
        type: flightDeparted.type,
        partitionkey: event.data[flightDeparted.partitionKey],
      });
    }
  });

  test("come in the order in which the flights departed", () => {
    const departedMs = read(lines).map(({ time, data }) => Date.parse(time) + data.delayMin * 60_000);

    expect(departedMs).toEqual(departedMs.toSorted((a, b) => a - b));
  });

  test("are the first of more", async () => {
    expect((await written(7_000)).lines).toEqual(lines.slice(0, 7_000));
  });
});

test.each([1, 4])("the truth is what replay makes of them with partitions: %i", async (partitions) => {
  const { lines, truth } = await written(EVENTS, partitions);

  const { text, output } = await runReplay(airportDelays, { flights: lines.join("\n") }, { partitions });

  expect(JSON.parse(truth[0]!)).toEqual({
    kind: "parameters",
    stream: "flights",
    events: EVENTS,
    partitions,
    outOfOrderMs: 3_600_000,
  });
  const results = (all: readonly string[]) =>
    all.filter((line) => line.startsWith('{"kind":"result"')).sort();
  expect(results(truth).length).toBeGreaterThan(1_000);
  expect(results(text.split("\n"))).toEqual(results(truth));
  const late = output.filter(({ kind }) => kind === "late").map(({ value }) => JSON.parse(value as string));
  expect(late.length).toBeGreaterThan(100);
  expect(read(truth.filter((line) => line.startsWith('{"kind":"late"'))).map(({ id }) => id)).toEqual(
    late.map(({ id }) => id),
  );
});
