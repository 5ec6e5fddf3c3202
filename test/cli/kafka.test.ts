import type { Admin } from "kafkajs";
import { describe, expect, it } from "vitest";
import { topicOffsets } from "../../cli/kafka.ts";

const PARTITIONS = [{ partition: 0, offset: "7", high: "7", low: "2" }];

/** An admin whose answers are those given, one a call. */
function adminThat(...answers: (typeof PARTITIONS | Error)[]): Admin {
  const fetchTopicOffsets = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { fetchTopicOffsets } as Partial<Admin> as Admin;
}

describe("the offsets of a topic", () => {
  it("are asked for again while a partition's leader is changing", async () => {
    const moving = Object.assign(new Error("not the leader"), { retriable: true });
    expect(await topicOffsets(adminThat(moving, moving, PARTITIONS), "flights")).toEqual(PARTITIONS);
  });

  it("are refused with the broker's error where asking again does not help", async () => {
    const denied = Object.assign(new Error("not authorized"), { retriable: false });
    await expect(topicOffsets(adminThat(denied, PARTITIONS), "flights")).rejects.toBe(denied);
  });
});
