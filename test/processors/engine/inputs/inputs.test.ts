import { describe, expect, test } from "vitest";
import {
  count,
  PipelineError,
  pipeline,
  stream,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { batchOf } from "../../../support/records.ts";
import { event, run, watermark } from "../scripted-run.ts";

interface Entry {
  readonly id: string;
  readonly t: number;
}

const source = (topic: string) => ({
  topic,
  decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Entry,
  time: ({ t }: Entry) => t,
  identity: ({ id }: Entry) => id,
});

const united = (dedupe?: false) =>
  pipeline("united")
    .from(source("web"), { outOfOrderMs: 0, ...(dedupe === false && { dedupe }) })
    .union(stream(source("shops"), { outOfOrderMs: 5 }).filter(({ t }) => t !== 13))
    .map((entry) => entry)
    .keyBy(() => "k")
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({ n: count() })
    .toResults();

const web = (id: string, t: number) => event("web", { id, t });
const shop = (id: string, t: number) => event("shops", { id, t });
const rows = (results: ReturnType<typeof run>["results"]) =>
  results.map(({ window, value }) => `${window.start} n=${(value as { n: number }).n}`);

describe("a task of several inputs", () => {
  test("waits for the slowest, each by its own bound", () => {
    const { results } = run(united(), [
      web("a", 1),
      web("b", 30),
      shop("c", 3),
      shop("d", 14),
      shop("e", 15),
    ]);

    expect(rows(results)).toEqual(["0 n=2"]);
  });

  test("fires nothing before each has said something", () => {
    expect(run(united(), [web("a", 1), web("b", 1_000)]).results).toEqual([]);
  });

  test("calls late what is behind the watermark of both", () => {
    const { late, counters } = run(united(), [
      web("a", 30),
      shop("b", 5),
      web("c", 6),
      shop("d", 40),
      shop("e", 7),
    ]);

    expect(late.map(({ value }) => JSON.parse(value))).toEqual([{ id: "e", t: 7 }]);
    expect(counters).toMatchObject({ counted: 4, late: 1 });
  });

  test("knows the events of each apart: an id of one is not that of another", () => {
    const { results, counters } = run(united(), [
      web("x", 1),
      shop("x", 1),
      shop("x", 1),
      web("x", 1),
      web("y", 50),
      shop("y", 50),
    ]);

    expect(rows(results)).toEqual(["0 n=2"]);
    expect(counters).toMatchObject({ counted: 4, duplicate: 2 });
  });

  test("applies the steps before the union to the one, and those after it to both", () => {
    const { counters } = run(united(), [web("a", 13), shop("b", 13)]);

    expect(counters).toMatchObject({ counted: 1, ignored: 1 });
  });

  test("is moved by watermark records of each", () => {
    const { results } = run(united(), [
      web("a", 1),
      watermark("web", 100),
      watermark("shops", 9),
      watermark("shops", 10),
    ]);

    expect(rows(results)).toEqual(["0 n=1"]);
  });
});

describe("an idle input", () => {
  const ticking = () => {
    const definition = united();
    const task = new Task({
      definition,
      partition: 0,
      partitions: 1,
      generation: 1,
      nextCheckpoint: 1,
      state: emptyState(definition, [0, 0]),
    });
    const offsets = { web: 0, shops: 0 };
    const apply = (topic: "web" | "shops", t: number, arrivalMs: number) => {
      const offset = offsets[topic]++;
      const record = { offset, value: JSON.stringify({ id: `${topic}${offset}`, t }), arrivalMs };
      task.apply(batchOf({ topic, partition: 0 }, [record]), 0, 100);
    };
    const tick = (input: number, nowMs: number) => {
      task.tick(input, nowMs);
      task.fire(100);
    };
    return { task, apply, tick };
  };

  test("that never had a record holds nobody back after a tick", () => {
    const { task, apply, tick } = ticking();
    apply("web", 30, 1_000);
    expect(task.watermarkMs).toBe(Number.NEGATIVE_INFINITY);

    tick(1, 2_000);

    expect(task.watermarkMs).toBe(30);
  });

  test("holds nobody back until its next record, which takes nothing back", () => {
    const { task, apply, tick } = ticking();
    apply("web", 30, 1_000);
    apply("shops", 10, 1_000);
    expect(task.watermarkMs).toBe(5);

    tick(1, 1_001);
    expect(task.watermarkMs).toBe(30);

    apply("shops", 20, 1_002);
    expect(task.watermarkMs).toBe(30);
    apply("web", 50, 1_002);
    expect(task.watermarkMs).toBe(30);
    apply("shops", 45, 1_003);
    expect(task.watermarkMs).toBe(40);
  });

  test("that is moved by the clock moves the task where all are idle", () => {
    const { task, apply, tick } = ticking();
    apply("web", 30, 1_000);
    apply("shops", 20, 1_000);

    tick(0, 1_500);
    tick(1, 1_500);
    expect(task.watermarkMs).toBe(515);

    tick(0, 1_600);
    tick(1, 1_700);
    expect(task.watermarkMs).toBe(630);
  });
});

describe("a definition", () => {
  test("cannot read a topic twice", () => {
    const twice = () =>
      pipeline("p")
        .from(source("web"), { outOfOrderMs: 0 })
        .union(stream(source("web"), { outOfOrderMs: 0 }))
        .keyBy(({ id }) => id)
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({ n: count() })
        .toResults();

    expect(twice).toThrow(PipelineError);
    expect(twice).toThrow("read the topic web");
  });

  test.each([
    ["a negative bound", { outOfOrderMs: -1 }, "outOfOrderMs is -1"],
    ["no patience", { outOfOrderMs: 0, idleTimeoutMs: 0 }, "idleTimeoutMs is 0"],
  ])("of a second source with %s is refused", (_, options, message) => {
    expect(() => stream(source("shops"), options)).toThrow(message);
  });
});
