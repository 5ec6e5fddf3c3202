/** What a record says of itself in headers goes on with it where it is given up or late, so that it can go back. */
import { expect, test } from "vitest";
import { count, HOUR_MS, pipeline, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { type Item, record, sourceOf, TOPIC } from "./pipelines.ts";

const hourly = pipeline("passed-on")
  .from<Item>(sourceOf(TOPIC), { outOfOrderMs: 0, dedupe: false })
  .keyBy(({ key }) => key)
  .window(tumbling({ sizeMs: HOUR_MS }))
  .aggregate({ n: count() })
  .toResults();

const headers = {
  "spillway-producer": "jwt:airline",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

test("a late event and a dead letter say who sent them and of which trace they are, and nothing else of the record", () => {
  const driver = new TestDriver(hourly, { partitions: 1 });
  driver.feed(record({ key: "a", t: 5 * HOUR_MS }), {
    ...record({ key: "a", t: 0 }),
    headers: { ...headers, other: "x" },
  });
  driver.feed({ value: "{", key: "a", headers }, { value: "{", key: "a" });
  driver.checkpoint();
  const rejected = driver.outputs.filter(
    ({ topic }) => topic === "dead-letters" || topic === "passed-on.late",
  );
  const passedOn = rejected.map((output) =>
    Object.entries(output.headers).filter(([name]) => name in headers || name === "other"),
  );
  expect(passedOn.map((entries) => Object.fromEntries(entries))).toEqual([headers, headers, {}]);
});

test("a header that is longer than any that the door writes is left out", () => {
  const driver = new TestDriver(hourly, { partitions: 1 });
  driver.feed({ value: "{", key: "a", headers: { ...headers, "spillway-producer": "x".repeat(3_000) } });
  driver.checkpoint();
  const [dead] = driver.outputs.filter(({ topic }) => topic === "dead-letters");
  expect(dead!.headers).not.toHaveProperty("spillway-producer");
  expect(dead!.headers).toMatchObject({ traceparent: headers.traceparent });
});
