/** Hands what an event becomes to every operator of a task, to be taken by all of them or by none. */
import type { Operator } from "../operators/operator.ts";
import type { InputDefinition } from "../pipeline/definition.ts";
import { type Enquiry, elementsOf } from "./enquiry.ts";
import type { KeyCache } from "./key-cache.ts";
import { rejectionOf } from "./rejection.ts";
import type { StateLimit } from "./state-limit.ts";

export interface StagingOptions {
  readonly operators: readonly Operator[];
  readonly keys: KeyCache;
  readonly limit: StateLimit;
}

export class Staging {
  readonly #operators: readonly Operator[];
  readonly #keys: KeyCache;
  readonly #limit: StateLimit;
  /**
   * Hash of the key of the element that was staged last, 0 where the event became none: a repartitioning tells by it whose
   * an identity is.
   */
  lastHash = 0;

  constructor({ operators, keys, limit }: StagingOptions) {
    this.#operators = operators;
    this.#keys = keys;
    this.#limit = limit;
  }

  /**
   * Makes elements of an event and hands them over; returns how many.
   * @param watermarkMs the task's
   * @param enquiry what was answered about it; only where the input asks anything
   * @throws Rejection where one cannot be made or taken; then what was staged is to be discarded
   */
  stage(
    definition: InputDefinition,
    event: unknown,
    timeMs: number,
    watermarkMs: number,
    input: number,
    enquiry: Enquiry | undefined,
  ): number {
    this.#limit.begin();
    this.lastHash = 0;
    const { key, transform, enrich } = definition;
    if (transform === null && enrich === null) {
      this.#stageElement(key, event, timeMs, watermarkMs, input);
      return 1;
    }
    const elements = elementsOf(definition, event, enquiry);
    for (const element of elements) this.#stageElement(key, element, timeMs, watermarkMs, input);
    return elements.length;
  }

  /** Makes what was staged part of the state; by how much it was late for all, as an operator's commit tells it. */
  commit(watermarkMs: number): number {
    let lateByMs = Number.POSITIVE_INFINITY;
    for (const operator of this.#operators) lateByMs = Math.min(lateByMs, operator.commit(watermarkMs));
    return lateByMs;
  }

  discard(): void {
    for (const operator of this.#operators) operator.discard();
  }

  #stageElement(
    keyOf: InputDefinition["key"],
    element: unknown,
    timeMs: number,
    watermarkMs: number,
    input: number,
  ): void {
    const key = rejectionOf("user-code-failed", () => keyOf(element), "the key function threw");
    const { text, hash } = this.#keys.of(key);
    this.lastHash = hash;
    for (const operator of this.#operators) operator.stage(element, text, timeMs, watermarkMs, input);
    this.#limit.staged(this.#operators, text, timeMs);
  }
}
