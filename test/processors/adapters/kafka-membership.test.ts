import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KafkaLog } from "../../../processors/adapters/kafka-log.ts";
import type { Assignment, GroupMembership, RecordBatch } from "../../../processors/engine/log/port.ts";
import { createKafka } from "../../../runtime/kafka.ts";
import { startKafka, type TestKafka } from "../../support/kafka.ts";
import { createTopic, produce } from "../../support/kafka-topics.ts";

const PARTITIONS = 4;
const heartbeatKey = 12;

let broker: TestKafka;
let client: Kafka;
beforeAll(async () => {
  broker = await startKafka();
  client = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
});
afterAll(() => broker.stop());

let topics: [string, string];
let group: string;
const members: Member[] = [];
beforeEach(async () => {
  const id = randomUUID();
  group = `group-${id}`;
  topics = [`flights-${id}`, `weather-${id}`];
  for (const topic of topics) await createTopic(client, topic, PARTITIONS);
});
afterEach(async () => {
  for (const member of members.splice(0)) await member.close();
});

/** Remembers what the group told it, in order. */
class Member extends EventEmitter {
  readonly log: KafkaLog;
  readonly told: string[] = [];
  readonly assignments: Assignment[] = [];
  readonly batches: RecordBatch[] = [];
  readonly crashes: Error[] = [];
  membership!: GroupMembership;
  onBatch = (_batch: RecordBatch): void => undefined;

  constructor(bootstrapServers: string) {
    super();
    members.push(this);
    this.log = new KafkaLog({ bootstrapServers, clientId: "test", heartbeatIntervalMs: 100 });
  }

  get assignment(): Assignment {
    return this.assignments.at(-1)!;
  }

  /** Its partitions of each topic. */
  get partitions(): number[][] {
    return topics.map((topic) =>
      this.assignment.partitions
        .filter((candidate) => candidate.topic === topic)
        .map(({ partition }) => partition)
        .sort(),
    );
  }

  async join(): Promise<this> {
    this.membership = await this.log.join(group, topics, {
      onAssigned: (assignment) => {
        this.assignments.push(assignment);
        this.#tell("assigned");
      },
      onLost: () => this.#tell("lost"),
      onBatch: (batch) => {
        this.batches.push(batch);
        this.onBatch(batch);
        this.#tell("batch");
      },
      onCrash: (error) => {
        this.crashes.push(error);
        this.#tell("crash");
      },
    });
    return this;
  }

  read(topic: string, partition: number, offset: number): void {
    this.membership.seek({ topic, partition, offset });
    this.membership.resume([{ topic, partition }]);
  }

  async close(): Promise<void> {
    await this.membership.leave();
    await this.log.close();
  }

  #tell(what: string): void {
    this.told.push(what);
    this.emit(what);
  }
}

const joined = (bootstrapServers = broker.bootstrapServers) => new Member(bootstrapServers).join();

describe("joining a group", () => {
  test("a member alone gets every partition, the second takes half, of both topics the same", async () => {
    const first = await joined();
    expect(first.partitions).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    const reassigned = once(first, "assigned");
    const second = await joined();
    await reassigned;
    expect(first.partitions).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(second.partitions).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect(first.told).toEqual(["assigned", "lost", "assigned"]);
    expect(first.assignments[1]!.generation).toBeGreaterThan(first.assignments[0]!.generation);
  });

  test("a member that leaves hands its partitions over at once; the others keep theirs", async () => {
    const first = await joined();
    const shared = once(first, "assigned");
    const second = await joined();
    await shared;
    const handedOver = once(second, "assigned");
    await first.membership.leave();
    await handedOver;
    expect(second.partitions).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    expect(first.told).toEqual(["assigned", "lost", "assigned"]);
  });

  test.each([
    ["before", "JoinGroup", 11],
    ["after", "JoinGroup", 11],
    ["after", "SyncGroup", 14],
  ] as const)("a connection lost %s the first %s is answered is no crash", async (moment, _, apiKey) => {
    broker.wire.cutAt(apiKey, moment);
    const member = await joined(broker.cuttable);

    expect(member.partitions[0]).toEqual([0, 1, 2, 3]);
    expect(member.told).toEqual(["assigned"]);
  });

  test("is refused for a topic that does not exist", async () => {
    const log = new KafkaLog({ bootstrapServers: broker.bootstrapServers, clientId: "test" });
    await expect(log.partitionCount("no-such-topic")).rejects.toThrow();
    await log.close();
  });
});

describe("reading", () => {
  test("nothing is fetched before a partition is resumed, then from where it was told to", async () => {
    const [flights] = topics;
    await produce(
      client,
      flights,
      [0, 1, 2].map((n) => ({ partition: 1, key: `k${n}`, value: `v${n}` })),
    );
    await produce(client, flights, [{ partition: 2, value: "never resumed" }]);
    const member = await joined();
    // A confirmed heartbeat comes after a fetch that found every partition paused.
    expect(await member.membership.confirm(member.assignment.generation)).toBe(true);
    expect(member.told).toEqual(["assigned"]);
    member.read(flights, 1, 1);
    await once(member, "batch");
    expect(member.batches).toHaveLength(1);
    const batch = member.batches[0]!;
    expect(batch).toMatchObject({ topic: flights, partition: 1, count: 2, highWatermark: 3 });
    expect([batch.offset(0), batch.offset(1)]).toEqual([1, 2]);
    expect([String(batch.key(0)), String(batch.value(0))]).toEqual(["k1", "v1"]);
    expect(Math.abs(batch.arrivalMs(0) - Date.now())).toBeLessThan(60_000);
  });

  test("a partition paused in the callback brings no more until it is resumed", async () => {
    const [flights] = topics;
    const member = await joined();
    member.onBatch = ({ topic, partition }) => member.membership.pause([{ topic, partition }]);
    await produce(client, flights, [{ partition: 0, value: "a" }]);
    member.read(flights, 0, 0);
    await once(member, "batch");
    await produce(client, flights, [{ partition: 0, value: "b" }]);
    expect(await member.membership.confirm(member.assignment.generation)).toBe(true);
    expect(member.batches).toHaveLength(1);
    member.membership.resume([{ topic: flights, partition: 0 }]);
    await once(member, "batch");
    expect(member.batches[1]!.offset(0)).toBe(1);
  });

  test("aborted records and commit markers are jumped over", async () => {
    const [flights, weather] = topics;
    const member = await joined();
    const write = async (value: string, metadata: string) => {
      const transactions = await member.log.fence(group, group, { topic: topics[1]!, partition: 0 });
      const output = { topic: flights, partition: 0, key: null, value: Buffer.from(value), headers: {} };
      const offsets = [{ topic: weather, partition: 0, offset: 0, metadata }];
      await transactions.commit({ outputs: [output], offsets }).catch(() => undefined);
      await transactions.close();
    };
    await write("aborted", "too long for Kafka".repeat(1_000));
    await write("committed", "");
    member.read(flights, 0, 0);
    await once(member, "batch");
    const batch = member.batches[0]!;
    expect([batch.count, batch.offset(0), String(batch.value(0))]).toEqual([1, 2, "committed"]);
    expect([batch.nextOffset, batch.highWatermark]).toEqual([4, 4]);
    // Behind the last record is only a commit marker: the end of the log is one further, and must be told.
    member.read(flights, 0, 3);
    await once(member, "batch");
    expect(member.batches[1]).toMatchObject({ partition: 0, count: 0, nextOffset: 4, highWatermark: 4 });
  });

  test("a position outside the log crashes it, and nothing is committed in its place", async () => {
    const [flights] = topics;
    const member = await joined();
    member.read(flights, 3, 1_000);
    await once(member, "crash");
    expect(member.told).toEqual(["assigned", "crash"]);
    expect(await member.log.committed(group, [{ topic: flights, partition: 3 }])).toEqual([
      { topic: flights, partition: 3, offset: null, metadata: "" },
    ]);
  });

  test("an error in a callback crashes it", async () => {
    const [flights] = topics;
    const member = await joined();
    member.onBatch = () => {
      throw new Error("a bug");
    };
    await produce(client, flights, [{ partition: 0, value: "a" }]);
    member.read(flights, 0, 0);
    await once(member, "crash");
    expect(member.crashes.map(({ message }) => message)).toEqual(["a bug"]);
  });
});

describe("confirming a generation", () => {
  test("is true while it lasts, and false once it is over", async () => {
    const first = await joined();
    const { generation } = first.assignment;
    expect(await first.membership.confirm(generation)).toBe(true);
    expect(await first.membership.confirm(generation + 1)).toBe(false);
    const reassigned = once(first, "assigned");
    await joined();
    await reassigned;
    expect(await first.membership.confirm(generation)).toBe(false);
    expect(await first.membership.confirm(first.assignment.generation)).toBe(true);
  });

  test("is false where the member leaves before the next heartbeat", async () => {
    const member = await joined();
    const confirmed = member.membership.confirm(member.assignment.generation);
    await member.membership.leave();
    expect(await confirmed).toBe(false);
  });

  test.each(["before", "after"] as const)(
    "waits for the next heartbeat where one is cut off %s it arrived",
    async (moment) => {
      const member = await joined(broker.cuttable);
      broker.wire.cutAt(heartbeatKey, moment);
      expect(await member.membership.confirm(member.assignment.generation)).toBe(true);
      expect(member.told).toEqual(["assigned"]);
    },
  );
});
