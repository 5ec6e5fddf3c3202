/** Retention deletes records that a stopped task has not read: it parks, the others are exact. */
import { expect, it, vi } from "vitest";
import { runChaos } from "./chaos-run.ts";

vi.setConfig({ testTimeout: 180_000 });

it("parks the task whose log was truncated past its position, and the others go on exactly", async () => {
  const { code, said } = await runChaos("--truncate");

  expect(code, said).toBe(0);
  expect(said).toMatch(/mismatches +0$/m);
});
