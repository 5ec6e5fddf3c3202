import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Observer, TaskVitals } from "../../processors/engine/worker/ports.ts";
import { Health, serveHealth, type Watched } from "../../processors/health.ts";

const MINUTE_MS = 60_000;
const CHECKPOINT_INTERVAL_MS = 10_000;
const HEALTH_CHECK = join(import.meta.dirname, "../../processors/healthcheck.mjs");

const task = (uncommittedMs: number): TaskVitals => ({
  pipeline: "p",
  partition: 3,
  run: {},
  busyMs: 0,
  records: 0,
  backlogRecords: 0,
  lastArrivalMs: null,
  watermarkMs: 0,
  uncommittedMs,
});

function watch(worker: { inGroup: boolean; uncommittedMs: number }) {
  const clock = { ms: 0, nowMs: () => clock.ms };
  const watched: Watched = {
    get inGroup() {
      return worker.inGroup;
    },
    vitals: () => [task(worker.uncommittedMs)],
  };
  const health = new Health(clock, CHECKPOINT_INTERVAL_MS);
  health.watch("p", watched);
  return { clock, health };
}

test("a processor that has just started, or has nothing to do, is well", () => {
  const { clock, health } = watch({ inGroup: false, uncommittedMs: 0 });
  clock.ms = 10 * MINUTE_MS;
  expect(health.problem()).toBeUndefined();
});

test("one that is out of its group for long is not, until it is back", () => {
  const worker = { inGroup: true, uncommittedMs: 0 };
  const { clock, health } = watch(worker);
  clock.ms = 60 * MINUTE_MS;
  expect(health.problem()).toBeUndefined();

  worker.inGroup = false;
  clock.ms += 10 * MINUTE_MS + 1;
  expect(health.problem()).toBe("p has not been in its consumer group for 600 s");

  worker.inGroup = true;
  expect(health.problem()).toBeUndefined();
});

test("five minutes may pass beyond the checkpoint interval", () => {
  const worker = { inGroup: true, uncommittedMs: CHECKPOINT_INTERVAL_MS + 5 * MINUTE_MS };
  const { health } = watch(worker);
  expect(health.problem()).toBeUndefined();

  worker.uncommittedMs += 1;
  expect(health.problem()).toBeDefined();
});

test("one whose task has long not committed what it holds is not well, unless it retries", () => {
  const worker = { inGroup: true, uncommittedMs: 6 * MINUTE_MS };
  const { clock, health } = watch(worker);
  expect(health.problem()).toBe("p/3 has not committed for 360 s, and retries nothing");

  const told: string[] = [];
  const retried: Observer["retried"] = (_, action) => void told.push(action);
  const observer = health.observing({ retried } as Observer);
  observer.retried({ pipeline: "p", partition: 3 }, "write", new Error("the store is away"));
  expect(health.problem()).toBeUndefined();
  expect(told).toEqual(["write"]);

  clock.ms += MINUTE_MS;
  expect(health.problem()).toBeDefined();
});

test("the container's health check asks a processor by its id", async () => {
  let problem: string | undefined;
  const server = serveHealth({ problem: () => problem }, process.pid);
  await once(server, "listening");
  const check = (pid: number) =>
    promisify(execFile)(process.execPath, [HEALTH_CHECK, String(pid)]).then(
      () => "well",
      ({ code, stderr }) => `${code} ${stderr.trim()}`,
    );
  try {
    expect(await check(process.pid)).toBe("well");
    problem = "p has gone";
    expect(await check(process.pid)).toBe("1 p has gone");
  } finally {
    server.close();
  }
  expect(await check(process.pid)).toMatch(/^1 connect ECONNREFUSED/);
});
