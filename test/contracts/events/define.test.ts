/** What a catalogue entry may say of its topics, and which of them takes an event that asks for a priority. */
import Type from "typebox";
import { expect, it } from "vitest";
import {
  defineEvent,
  EventDefinitionError,
  topicOfPriority,
  topicsOfType,
} from "../../../contracts/events/define.ts";

const data = Type.Object({ cat: Type.String() });
const entry = {
  type: "cat.fed",
  topic: "flights",
  data,
  partitionKey: "cat",
  owner: "cats",
  classification: "public",
  futureBoundMs: 1_000,
} as const;

const fed = defineEvent({ ...entry, topics: { high: "user-activity", low: "clickstream" } });

it.each([
  ["normal", "flights"],
  ["high", "user-activity"],
  ["low", "clickstream"],
  ["urgent", undefined],
  ["toString", undefined],
  [1, undefined],
  [true, undefined],
])("an event that asks for %j goes to %j", (priority, topic) => {
  expect(topicOfPriority(fed, priority)).toBe(topic);
});

it("an entry without further topics has that of its own priority", () => {
  const plain = defineEvent(entry);
  expect([topicOfPriority(plain, "normal"), topicOfPriority(plain, "high")]).toEqual(["flights", undefined]);
  expect(topicsOfType(plain)).toEqual(["flights"]);
});

it("names every topic, the default one first", () => {
  expect(topicsOfType(fed)).toEqual(["flights", "user-activity", "clickstream"]);
});

it("a topic of another priority than it is listed under does not compile, and is refused", () => {
  // @ts-expect-error clickstream is of low priority
  const make = () => defineEvent({ ...entry, topics: { high: "clickstream" } });
  expect(make).toThrow(EventDefinitionError);
  expect(make).toThrow("cat.fed: topics.high is clickstream; list a topic of priority high there");
});

it("so is a priority that there is not, and a topic that there is not", () => {
  // @ts-expect-error there is no such priority
  expect(() => defineEvent({ ...entry, topics: { urgent: "flights" } })).toThrow("topics.urgent is flights");
  // @ts-expect-error there is no such topic
  expect(() => defineEvent({ ...entry, topics: { high: "cats" } })).toThrow("topics.high is cats");
});

it("a second topic of the default one's priority is refused: nobody could tell which to take", () => {
  const make = () => defineEvent({ ...entry, topic: "clickstream", topics: { low: "device-telemetry" } });
  expect(make).toThrow("clickstream, its topic, is of that priority already");
});
