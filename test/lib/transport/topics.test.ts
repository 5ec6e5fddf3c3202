import { describe, expect, test } from "vitest";
import { maxEnvelopeMessageBytes, maxMessageBytes } from "../../../contracts/limits.ts";
import { topics } from "../../../contracts/topics.ts";
import {
  deployedTopics,
  NotCompactedError,
  pipelinePartitions,
  UnequalPartitionsError,
  UnknownTopicError,
} from "../../../lib/transport/topics.ts";

const delays = {
  name: "delays",
  service: "delays",
  inputs: [{ topic: "flights" }],
  operators: [{ series: "delays" }],
};

describe("deployedTopics", () => {
  test("has the catalogue's topics, the dead letters and each pipeline's own", () => {
    const names = deployedTopics([delays]).map(({ name }) => name);

    expect(names).toEqual([...Object.keys(topics), "dead-letters", "delays.results", "delays.late"]);
  });

  test("gives a pipeline's topics as many partitions as its input", () => {
    const own = deployedTopics([delays]).filter(({ name }) => name.startsWith("delays."));

    expect(own.map(({ partitions }) => partitions)).toEqual([
      topics.flights.partitions,
      topics.flights.partitions,
    ]);
  });

  test.each([
    ["flights", maxMessageBytes],
    ["delays.results", maxMessageBytes],
    ["delays.late", maxEnvelopeMessageBytes],
    ["dead-letters", maxEnvelopeMessageBytes],
  ])("%s holds messages of %i bytes", (name, maxBytes) => {
    const topic = deployedTopics([delays]).find((candidate) => candidate.name === name);

    expect(topic?.configs["max.message.bytes"]).toBe(String(maxBytes));
  });

  test("refuses a pipeline on a topic that nobody makes", () => {
    const astray = { ...delays, inputs: [{ topic: "flihgts" }] };

    expect(() => deployedTopics([astray])).toThrow(UnknownTopicError);
    expect(() => deployedTopics([astray])).toThrow(/delays reads the topic flihgts/);
  });

  test("refuses a table on a topic that forgets", () => {
    const lookup = {
      ...delays,
      inputs: [{ topic: "flights" }, { topic: "clickstream", role: "table" as const }],
    };

    expect(() => deployedTopics([lookup])).toThrow(NotCompactedError);
    expect(() => deployedTopics([lookup])).toThrow(/compacted: true in contracts\/topics.ts/);
  });

  test("refuses a pipeline without inputs", () => {
    expect(() => pipelinePartitions({ ...delays, inputs: [] })).toThrow(UnequalPartitionsError);
  });

  describe("of a pipeline with a new key", () => {
    const byDay = {
      ...delays,
      name: "delays.by-day",
      forwards: { topic: "delays.by-day.forwarded", partitions: 12 },
    };
    const rekeyed = { ...delays, inputs: [{ topic: "delays.by-day.forwarded" }], upstream: [byDay] };

    test("has the topic between the stages, and each stage's own", () => {
      const own = deployedTopics([rekeyed]).filter(({ name }) => name.startsWith("delays."));

      expect(own.map(({ name, partitions }) => `${name} ${partitions}`)).toEqual([
        "delays.by-day.forwarded 12",
        `delays.by-day.late ${topics.flights.partitions}`,
        "delays.results 12",
        "delays.late 12",
      ]);
    });

    test("has as many partitions in between as the source, unless it says otherwise", () => {
      const same = { ...byDay, forwards: { ...byDay.forwards, partitions: null } };

      expect(pipelinePartitions({ ...rekeyed, upstream: [same] })).toBe(topics.flights.partitions);
      expect(pipelinePartitions(rekeyed)).toBe(12);
    });
  });
});
