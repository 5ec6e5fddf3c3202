import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { CompactionError, CompactionThread } from "../../../processors/compaction/compaction-thread.ts";
import { encodeBase, encodeDelta } from "../../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../../processors/engine/state/task-state.ts";
import { airportDelays } from "../../../processors/pipelines/airport-delays.ts";
import { readings } from "../engine/task-fixture.ts";

const thread = new CompactionThread(fileURLToPath(new URL("../../../processors/main.ts", import.meta.url)));

afterEach(() => thread.close());

/** A base at offset 7 and a delta that moves it to 9. */
function chain() {
  const state = emptyState(airportDelays, [7]);
  const base = encodeBase(airportDelays, state);
  state.inputs[0]!.offset = 9;
  return { base, delta: encodeDelta(airportDelays, state), whole: encodeBase(airportDelays, state) };
}

test("a chain is made into one base in another thread", async () => {
  const { base, delta, whole } = chain();

  expect(Buffer.from(await thread.compact(airportDelays, base, [delta]))).toEqual(Buffer.from(whole));
});

test("what cannot be compacted is told, and the thread goes on", async () => {
  const { base, delta, whole } = chain();

  await expect(thread.compact(airportDelays, base.subarray(0, 9), [delta])).rejects.toThrow(CompactionError);
  await expect(thread.compact(readings(), base, [delta])).rejects.toThrow(CompactionError);
  expect(Buffer.from(await thread.compact(airportDelays, base, [delta]))).toEqual(Buffer.from(whole));
});

test("a thread that ends fails what it had to do, and a new one starts", async () => {
  const { base, delta, whole } = chain();
  const lost = thread.compact(airportDelays, base, [delta]);
  const failed = expect(lost).rejects.toThrow(CompactionError);
  await thread.close();
  await failed;

  expect(Buffer.from(await thread.compact(airportDelays, base, [delta]))).toEqual(Buffer.from(whole));
});
