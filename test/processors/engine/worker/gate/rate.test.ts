/** How often a service is called: the stated rate, divided among the tasks of a pipeline. */
import { describe, expect, test } from "vitest";
import { busyLineAt, lineAt, scene } from "./gate-fixture.ts";

const RATE = 500;
const PARTITIONS = 8;

const answered = ({ answers }: { readonly answers: ReadonlyMap<string, unknown> }): number => answers.size;

describe("a stated rate", () => {
  test("is never exceeded by all processes together, and is used up where all are busy", async () => {
    const { clock, service, gate } = scene({ maxRequestsPerSecond: RATE });
    service.maxPerSecond = RATE;
    for (const process of [gate(), gate()]) {
      for (let task = 0; task < PARTITIONS / 2; task++) busyLineAt(process, PARTITIONS);
    }
    await clock.pass(5_000);
    expect(service.mostInASecond).toBeLessThanOrEqual(RATE);
    expect(service.refused).toBe(0);
    expect(service.calls.length).toBeGreaterThan(0.93 * RATE * 5);
  });

  test("is a process's by the share of its tasks, and one busy task of it may use all of that", async () => {
    const { clock, service, gate } = scene({ maxRequestsPerSecond: RATE });
    const process = gate();
    busyLineAt(process, PARTITIONS);
    for (let task = 1; task < PARTITIONS / 2; task++) lineAt(process, PARTITIONS);
    await clock.pass(4_000);
    expect(service.mostInASecond).toBeLessThanOrEqual(RATE / 2);
    expect(service.calls.length).toBeGreaterThan(0.93 * (RATE / 2) * 4);
  });

  test("is shared alike by the busy tasks of a process, whoever came first", async () => {
    const { clock, gate } = scene({ maxRequestsPerSecond: 100, maxInFlight: 10 });
    const process = gate();
    const tasks = [busyLineAt(process, 3), busyLineAt(process, 3), busyLineAt(process, 3)];
    await clock.pass(6_000);
    const counts = tasks.map(answered);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    expect(counts[0]).toBeGreaterThan(150);
  });

  test("follows the tasks as they come and go", async () => {
    const { clock, service, gate } = scene({ maxRequestsPerSecond: 80 });
    const process = gate();
    busyLineAt(process, PARTITIONS);
    const leaving = busyLineAt(process, PARTITIONS);
    await clock.pass(4_000);
    expect(service.calls.length).toBeLessThanOrEqual(80);
    leaving.end();
    const before = service.calls.length;
    await clock.pass(4_000);
    expect(service.calls.length - before).toBeLessThanOrEqual(41);
    expect(service.calls.length - before).toBeGreaterThan(35);
  });

  test("holds for retries too", async () => {
    const { clock, service, gate } = scene({ maxRequestsPerSecond: 20, maxAttempts: 10 });
    service.answer = () => new Error("unknown");
    busyLineAt(gate(), 1);
    await clock.pass(10_000);
    expect(service.mostInASecond).toBeLessThanOrEqual(20);
  });

  test("where the service allows less: it is left alone until it says, and no attempt is used up", async () => {
    const { clock, service, gate } = scene({ maxRequestsPerSecond: 50, maxAttempts: 1 });
    service.maxPerSecond = 10;
    const task = lineAt(gate());
    const questions = Array.from({ length: 40 }, (_, index) => `q${index}`);
    task.ask(...questions);
    await clock.pass(20_000);
    expect(service.refused).toBeGreaterThan(0);
    expect(task.failures[0]).toBe("the service asks to try again in 1000 ms");
    expect(questions.map((question) => task.answers.get(question))).toEqual(
      questions.map((question) => [{ json: `"of ${question}"` }]),
    );
  });
});

test("calls at the same time are bounded by the tasks of the process, whatever is asked", async () => {
  const { clock, service, gate } = scene({ maxInFlight: 5 });
  const process = gate();
  for (const name of ["a", "b"]) {
    lineAt(process, 2).ask(...Array.from({ length: 30 }, (_, index) => `${name}${index}`));
  }
  await clock.pass(1_000);
  expect(service.mostInFlight).toBe(10);
  expect(service.calls).toHaveLength(60);
});
