/** What a process step remembers: a state and timers for each key, and how many results it emitted. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { DueQueue } from "../../state/due-queue.ts";
import { KeyedStore } from "../../state/keyed-store.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { KeyedTimers } from "./keyed-timers.ts";
import { Process } from "./process.ts";
import type { ProcessDefinition } from "./process-definition.ts";

export interface KeptState {
  /** Encoded, in the form that the definition names. */
  readonly kept: unknown;
  /** The latest event time at which it was set. */
  readonly setMs: number;
}

export class ProcessState implements OperatorState {
  readonly #definition: ProcessDefinition;
  readonly #states: KeyedStore<KeptState>;
  readonly timers = new KeyedTimers();
  /** Rises with every result, and numbers it. */
  emitted = 0;
  /** When to look at which key: never after its state expires, but maybe before, since one that is set again lives on. */
  readonly #expiries = new DueQueue();
  /** When each key is looked at next. */
  readonly #watched = new Map<string, number>();

  constructor(definition: ProcessDefinition) {
    this.#definition = definition;
    const { form } = definition.state;
    this.#states = new KeyedStore<KeptState>({
      write: (writer, { kept, setMs }) => {
        writer.float64(setMs);
        form.write(writer, kept);
      },
      read: (reader) => ({ setMs: reader.float64(), kept: form.read(reader) }),
    });
  }

  get entries(): number {
    return this.#states.size + this.timers.size;
  }

  open(context: OperatorContext): Operator {
    return new Process(this.#definition, this, context);
  }

  get expiryDueMs(): number {
    return this.#expiries.dueMs;
  }

  /** Positive infinity: it stays. */
  expiryOf({ setMs }: KeptState): number {
    const { ttlMs } = this.#definition.state;
    return ttlMs === null ? Number.POSITIVE_INFINITY : setMs + ttlMs;
  }

  get(key: string): KeptState | undefined {
    return this.#states.get(key);
  }

  set(key: string, state: KeptState): void {
    this.#states.set(key, state);
    this.#watch(key, state);
  }

  delete(key: string): void {
    this.#states.delete(key);
  }

  /** Looks at the state whose expiry is due first: drops it, unless it was set again since. */
  expireNext(): void {
    const { key, dueMs } = this.#expiries.pop()!;
    if (this.#watched.get(key) !== dueMs) return;
    this.#watched.delete(key);
    const state = this.#states.get(key);
    if (state === undefined) return;
    if (this.expiryOf(state) <= dueMs) this.#states.delete(key);
    else this.#watch(key, state);
  }

  writeBase(writer: ByteWriter): void {
    writer.varint(this.emitted);
    this.#states.writeBase(writer);
    this.timers.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.varint(this.emitted);
    this.#states.writeDelta(writer);
    this.timers.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.emitted = reader.varint();
    this.#states.readBase(reader);
    this.timers.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.emitted = reader.varint();
    this.#states.readDelta(reader);
    this.timers.readDelta(reader);
  }

  restored(): void {
    for (const [key, state] of this.#states.entries()) this.#watch(key, state);
    this.timers.restored();
  }

  #watch(key: string, state: KeptState): void {
    const dueMs = this.expiryOf(state);
    if (dueMs >= (this.#watched.get(key) ?? Number.POSITIVE_INFINITY)) return;
    this.#watched.set(key, dueMs);
    this.#expiries.push({ dueMs, startMs: 0, key });
  }
}
