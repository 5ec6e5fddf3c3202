import { Metrics } from "@aws-lambda-powertools/metrics";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Checkpointed, TaskVitals } from "../../processors/engine/worker/ports.ts";
import { StageMetrics } from "../../processors/stage-metrics.ts";

const EPOCH_MS = 1_000_000;
const states = { running: 2, parked: 1 };

let nowMs = 0;
let lines: Record<string, unknown>[] = [];
beforeEach(() => {
  nowMs = 0;
  lines = [];
});
afterEach(() => vi.restoreAllMocks());

function stageMetrics(): StageMetrics {
  const metrics = new Metrics({ namespace: "Spillway" });
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ environment: "test", pipeline: "p", stage: "p.before" });
  vi.spyOn(metrics, "publishStoredMetrics").mockImplementation(() => {
    lines.push(JSON.parse(JSON.stringify(metrics.serializeMetrics())));
    metrics.clearMetrics();
    metrics.clearMetadata();
    return metrics;
  });
  return new StageMetrics(metrics, { nowMs: () => nowMs, epochMs: () => EPOCH_MS + nowMs });
}

const checkpointed = (part: Partial<Checkpointed>): Checkpointed => ({
  pipeline: "p.before",
  partition: 0,
  checkpoint: 1,
  counters: { counted: 5, late: 1, duplicate: 2, dead: 3, ignored: 4, results: 6 },
  outputs: 0,
  snapshotBytes: 10,
  stateEntries: 1_500_000,
  stateLimitShare: 0.75,
  checkpointMs: 7,
  applied: [],
  ...part,
});

const vitals = (part: Partial<TaskVitals>): TaskVitals => ({
  pipeline: "p.before",
  partition: 0,
  run: vitals,
  busyMs: 0,
  records: 0,
  backlogRecords: 0,
  lastArrivalMs: null,
  watermarkMs: Number.NEGATIVE_INFINITY,
  uncommittedMs: 0,
  ...part,
});

test("an interval is one line, under environment, pipeline and stage, and no other dimension", () => {
  const metrics = stageMetrics();
  for (let index = 0; index < 200; index += 1) metrics.checkpointed(checkpointed({}));
  metrics.publish(states, []);

  expect(lines).toHaveLength(1);
  const { _aws, ...values } = lines[0] as { _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] } };
  expect(_aws.CloudWatchMetrics[0]!.Dimensions).toEqual([["environment", "pipeline", "stage"]]);
  expect(values).toMatchObject({
    pipeline: "p",
    stage: "p.before",
    TasksRunning: 2,
    TasksParked: 1,
    RecordsProcessed: 200 * 15,
    EventsLate: 200,
    EventsDuplicate: 400,
    EventsDead: 600,
    ResultsWritten: 1_200,
  });
  expect((values as unknown as Record<string, number[]>).CheckpointMs).toHaveLength(50);
});

test("a checkpoint's metrics say how near the task's state is to its limits", () => {
  const metrics = stageMetrics();
  metrics.checkpointed(checkpointed({}));
  metrics.publish(states, []);

  expect(lines[0]).toMatchObject({ StateEntries: 1_500_000, StateLimitPercent: 75, CheckpointBytes: 10 });
});

test("latency is from a slice's first arrival to its commit, by how many records it has", () => {
  const metrics = stageMetrics();
  nowMs = 2_000;
  const applied = [
    { records: 3, arrivalMs: EPOCH_MS + 1_900 },
    { records: 1, arrivalMs: EPOCH_MS + 500 },
    // A broker whose clock is ahead.
    { records: 1, arrivalMs: EPOCH_MS + 2_100 },
  ];
  metrics.checkpointed(checkpointed({ applied }));
  metrics.publish(states, []);

  expect(lines[0]).toMatchObject({ LatencyMs: [0, 100, 100, 100, 1_500] });
});

test("backlog in seconds is what waits by the pace of late, of each task", () => {
  const metrics = stageMetrics();
  const [fast, slow] = [{}, {}];
  metrics.publish(states, [vitals({ run: fast }), vitals({ run: slow, partition: 3 })]);
  nowMs = 10_000;
  metrics.publish(states, [
    vitals({ run: fast, records: 10_000, backlogRecords: 500, busyMs: 9_000 }),
    vitals({ run: slow, partition: 3, records: 100, backlogRecords: 500, busyMs: 1_000 }),
  ]);

  expect(lines[0]).not.toHaveProperty("BacklogSeconds");
  expect(lines[1]).toMatchObject({
    BacklogSeconds: [0.5, 50],
    BacklogRecords: [500, 500],
    BusyPercent: [90, 10],
    slowestPartition: "3",
  });
});

test("a task that clears nothing while records wait has a backlog of many minutes, one without any has none", () => {
  const metrics = stageMetrics();
  const [stuck, idle] = [{}, {}];
  for (nowMs of [0, 10_000, 20_000]) {
    metrics.publish(states, [vitals({ run: stuck, backlogRecords: 1 }), vitals({ run: idle })]);
  }

  const [seconds, none] = lines[2]!.BacklogSeconds as number[];
  expect(seconds).toBeGreaterThan(120);
  expect(none).toBe(0);
});

test("a task that is run anew counts from 0 again", () => {
  const metrics = stageMetrics();
  metrics.publish(states, [vitals({ run: {}, records: 1_000, busyMs: 5_000 })]);
  const again = {};
  nowMs = 10_000;
  metrics.publish(states, [vitals({ run: again })]);
  nowMs = 20_000;
  metrics.publish(states, [vitals({ run: again, records: 100, busyMs: 2_000, backlogRecords: 10 })]);

  expect(lines[2]).toMatchObject({ BacklogSeconds: 1, BusyPercent: 20 });
});

test("lag in time is the age of the record that was applied last, and none where nothing waits", () => {
  const metrics = stageMetrics();
  nowMs = 5_000;
  const lastArrivalMs = EPOCH_MS + 1_000;
  metrics.publish(states, [
    vitals({ run: {}, lastArrivalMs, backlogRecords: 2, uncommittedMs: 30, watermarkMs: EPOCH_MS }),
    vitals({ run: {}, lastArrivalMs, watermarkMs: EPOCH_MS - 1_000 }),
    vitals({ run: {} }),
  ]);

  expect(lines[0]).toMatchObject({
    LagMs: [4_000, 0],
    WatermarkDelayMs: [5_000, 6_000],
    CheckpointAgeMs: [30, 0, 0],
  });
});

test("failures, recoveries and crashes are told where there are any", () => {
  const metrics = stageMetrics();
  metrics.checkpointFailed();
  metrics.checkpointFailed();
  metrics.recovered(40);
  metrics.crashed();
  metrics.publish(states, []);
  metrics.publish(states, []);

  expect(lines[0]).toMatchObject({ CheckpointFailures: 2, RecoveryMs: 40, ProcessorCrashes: 1 });
  for (const name of ["CheckpointFailures", "RecoveryMs", "ProcessorCrashes"]) {
    expect(lines[1]).not.toHaveProperty(name);
  }
});
