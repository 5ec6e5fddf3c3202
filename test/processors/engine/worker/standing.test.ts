import { expect, test } from "vitest";
import type { GroupMembership } from "../../../../processors/engine/log/port.ts";
import { StoppedError } from "../../../../processors/engine/worker/retry.ts";
import { Standing } from "../../../../processors/engine/worker/standing.ts";

/** A member whose questions are answered by the test. */
function scene() {
  const asked: { generation: number; answer: (confirmed: boolean) => void }[] = [];
  const membership = {
    confirm: (generation: number) =>
      new Promise<boolean>((answer) => {
        asked.push({ generation, answer });
      }),
  } as GroupMembership;
  const stop = new AbortController();
  return { asked, stop, standing: new Standing(membership, 1, stop.signal) };
}

/** Lets everything that waits on promises only go on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a heartbeat of the assigning generation confirms", async () => {
  const { standing, asked } = scene();
  const confirmed = standing.confirm();
  asked[0]!.answer(true);
  await expect(confirmed).resolves.toBeUndefined();
});

test("where the group rebalances, the next generation is asked", async () => {
  const { standing, asked } = scene();
  const confirmed = standing.confirm();
  asked[0]!.answer(false);
  await settled();
  standing.assigned(2);
  await settled();
  expect(asked.map(({ generation }) => generation)).toEqual([1, 2]);
  asked[1]!.answer(true);
  await expect(confirmed).resolves.toBeUndefined();
});

test("an answer for a generation that was replaced meanwhile does not count", async () => {
  const { standing, asked } = scene();
  const confirmed = standing.confirm();
  standing.assigned(2);
  asked[0]!.answer(true);
  await settled();
  expect(asked.map(({ generation }) => generation)).toEqual([1, 2]);
  asked[1]!.answer(true);
  await confirmed;
});

test("where the task is taken away the question ends", async () => {
  const { standing, asked, stop } = scene();
  const confirmed = standing.confirm();
  asked[0]!.answer(false);
  await settled();
  stop.abort();
  await expect(confirmed).rejects.toThrow(StoppedError);
});
