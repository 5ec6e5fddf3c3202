/**
 * Whether the group means this member for a task. A task that stays here goes on through a rebalance, but between two
 * generations nobody knows whose it is: then it must fence nobody (design, section 4, rule 7).
 */
import type { GroupMembership } from "../log/port.ts";
import { throwIfStopped } from "./retry.ts";

export class Standing {
  readonly #membership: GroupMembership;
  readonly #signal: AbortSignal;
  /** The generation that assigned the task last; null once it is known to be over. */
  #generation: number | null;
  #wake: () => void = () => undefined;

  /** @param signal aborts once the task is somebody else's */
  constructor(membership: GroupMembership, generation: number, signal: AbortSignal) {
    this.#membership = membership;
    this.#generation = generation;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  assigned(generation: number): void {
    this.#generation = generation;
    this.#wake();
  }

  /**
   * Resolves once a heartbeat that was sent after this call has been answered in the generation that assigns the task;
   * where the group rebalances, in the next one.
   * @throws StoppedError once the task is somebody else's
   */
  async confirm(): Promise<void> {
    for (;;) {
      throwIfStopped(this.#signal);
      const generation = this.#generation;
      if (generation === null) await this.#untilAssigned();
      else if ((await this.#membership.confirm(generation)) && generation === this.#generation) return;
      else if (generation === this.#generation) this.#generation = null;
    }
  }

  #untilAssigned(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
