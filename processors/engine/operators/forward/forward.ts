/** Forwarding at work. */
import { maxForwardedBytes } from "../../../../contracts/limits.ts";
import { Rejection, rejectionOf } from "../../task/rejection.ts";
import { COUNTED, type Operator, type OperatorContext } from "../operator.ts";
import { encodeForwarded, type Identified } from "./envelope.ts";
import type { ForwardDefinition } from "./forward-definition.ts";
import type { Progress } from "./progress.ts";

export class Forward implements Operator {
  readonly #definition: ForwardDefinition;
  readonly #progress: Progress;
  readonly #context: OperatorContext;
  readonly #keys: Uint8Array[] = [];
  readonly #values: Uint8Array[] = [];
  readonly dueMs = Number.POSITIVE_INFINITY;

  constructor(definition: ForwardDefinition, progress: Progress, context: OperatorContext) {
    this.#definition = definition;
    this.#progress = progress;
    this.#context = context;
  }

  stage(element: unknown, key: string, timeMs: number): void {
    const value = rejectionOf(
      "user-code-failed",
      () => encodeForwarded(element as Identified, timeMs),
      "the element to forward is not JSON",
    );
    // A record that Kafka refuses would stop the partition.
    if (value.length > maxForwardedBytes) {
      throw new Rejection(
        "invalid-event",
        `the element to forward is ${value.length} bytes; the limit is ${maxForwardedBytes}`,
      );
    }
    this.#keys.push(this.#context.keys.of(key).bytes);
    this.#values.push(value);
  }

  needsRow(): boolean {
    return false;
  }

  discard(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
  }

  commit(): number {
    const { topic } = this.#definition;
    for (let i = 0; i < this.#values.length; i++) {
      this.#context.outbox.forward(topic, this.#keys[i]!, this.#values[i]!);
    }
    this.discard();
    return COUNTED;
  }

  progressed(watermarkMs: number, idle: boolean, arrivalMs: number | null): void {
    if (!this.#progress.isDue(watermarkMs, idle, arrivalMs, false)) return;
    this.#progress.told(watermarkMs, idle, arrivalMs);
    const { outbox, partition, partitions } = this.#context;
    const { topic, partitions: own } = this.#definition;
    outbox.announce(topic, own ?? partitions, { task: partition, tasks: partitions, watermarkMs, idle });
  }

  fire(): number {
    return 0;
  }
}
