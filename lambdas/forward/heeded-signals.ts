/** The loads that hold a stream's function back: all, or none while a person has ordered to drain. */
import { type Override, overrideAt } from "../../contracts/flow-control.ts";
import type { LoadSignal } from "../../contracts/signals.ts";
import type { ControlTable } from "../../runtime/control-table.ts";
import type { RecentSignals } from "../../runtime/signals.ts";

/** An order is followed within so long; a batch waits for its signals for longer. */
const MAX_AGE_MS = 10_000;
const READ_TIMEOUT_MS = 300;

export class HeededSignals {
  readonly #mapping: string;
  readonly #signals: Pick<RecentSignals, "read">;
  readonly #table: Pick<ControlTable, "readOverride">;
  readonly #onFailure: (error: Error) => void;
  #override: Override | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(
    mapping: string,
    signals: Pick<RecentSignals, "read">,
    table: Pick<ControlTable, "readOverride">,
    onFailure: (error: Error) => void,
  ) {
    this.#mapping = mapping;
    this.#signals = signals;
    this.#table = table;
    this.#onFailure = onFailure;
  }

  /** Never rejects. */
  async read(nowMs: number): Promise<readonly LoadSignal[]> {
    await this.#readOverride(nowMs);
    if (overrideAt(this.#override, nowMs)?.mode === "drain") return [];
    return this.#signals.read(nowMs);
  }

  async #readOverride(nowMs: number): Promise<void> {
    if (nowMs - this.#triedMs < MAX_AGE_MS) return;
    this.#triedMs = nowMs;
    try {
      this.#override = await this.#table.readOverride(this.#mapping, AbortSignal.timeout(READ_TIMEOUT_MS));
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}
