/** Everything breaks at random for a while; at the end every record and every result is accounted for. */
import { expect, it, vi } from "vitest";
import { runChaos } from "./chaos-run.ts";

vi.setConfig({ testTimeout: 420_000 });

const MINUTES = process.env.CHAOS_MINUTES ?? "2";

it("keeps an exact ledger while processors, brokers, connections and stores fail", async () => {
  const seed = process.env.CHAOS_SEED === undefined ? [] : ["--seed", process.env.CHAOS_SEED];
  const { code, said } = await runChaos("--minutes", MINUTES, ...seed);
  console.log(said.slice(said.lastIndexOf("chaos, seed")));

  expect(code, said).toBe(0);
  expect(said).toMatch(/mismatches +0$/m);
});
