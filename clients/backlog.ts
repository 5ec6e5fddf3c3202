/** The events that a sender answers for, in the order in which they came, within limits that are never exceeded. */
import type { CloudEvent } from "../contracts/cloudevent.ts";

/** An event that the sender has taken. */
export interface Held {
  readonly event: CloudEvent;
  /** As it is sent: what the caller changes of the event afterwards has no effect. */
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
  /** From 0, in the order in which they were taken. */
  readonly sequence: number;
  readonly takenMs: number;
  /** From then on it is too old. */
  readonly expiresMs: number;
  /** Requests that it was part of and that decided nothing of it. */
  attempts: number;
  /** Whether one of them may have stored it, though no answer said so. */
  mayBeStored: boolean;
}

export interface BacklogOptions {
  /** Both count what is under way, too. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly nowMs: () => number;
}

/** Wants to be taken, and there is no room. */
interface Waiting {
  readonly bytes: number;
  take(): void;
  refuse(error: Error): void;
}

interface Deferred {
  readonly held: Held;
  readonly untilMs: number;
}

/** Brackets and commas of a batch, beside its events' bytes. */
const bytesBeside = (events: number): number => events + 1;

const sumOfBytes = (events: readonly Held[]): number => events.reduce((sum, { bytes }) => sum + bytes, 0);

export class Backlog {
  readonly #options: BacklogOptions;
  #waiting: Waiting[] = [];
  #queue: Held[] = [];
  #queueBytes = 0;
  #deferred: Deferred[] = [];
  #heldEvents = 0;
  #heldBytes = 0;
  #sequence = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Events that were taken and not released. */
  get heldEvents(): number {
    return this.#heldEvents;
  }

  /** What the next event that is taken will have. */
  get nextSequence(): number {
    return this.#sequence;
  }

  /** Whether an event waits for room. */
  get isFull(): boolean {
    return this.#waiting.length > 0;
  }

  /** The first event of the next batch. */
  get first(): Held | undefined {
    return this.#queue[0];
  }

  /** Takes an event: at once where there is room, else when there is, in the order of the calls. */
  async take(event: CloudEvent, text: string, bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#add(event, text, bytes);
      return;
    }
    await new Promise<void>((resolve, refuse) => {
      const take = (): void => {
        this.#add(event, text, bytes);
        resolve();
      };
      this.#waiting.push({ bytes, take, refuse });
    });
  }

  /** Nothing more is taken: who waits for room is told why. */
  refuseWaiting(error: Error): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const { refuse } of refused) refuse(error);
  }

  /** Whether what is queued fills a batch of so many events, or bytes. */
  fills(maxEvents: number, maxBytes: number): boolean {
    const { length } = this.#queue;
    return length >= maxEvents || this.#queueBytes + bytesBeside(length) >= maxBytes;
  }

  /** When the next event can go: minus infinity where one is queued, infinity where there is none. */
  get dueMs(): number {
    if (this.#queue.length > 0) return Number.NEGATIVE_INFINITY;
    return this.#deferred.reduce((ms, { untilMs }) => Math.min(ms, untilMs), Number.POSITIVE_INFINITY);
  }

  /** When the next event that is not under way is too old; infinity where there is none. */
  get nextExpiryMs(): number {
    const queuedMs = this.first?.expiresMs ?? Number.POSITIVE_INFINITY;
    return this.#deferred.reduce((ms, { held }) => Math.min(ms, held.expiresMs), queuedMs);
  }

  /** Takes the next batch out of the queue; one event at least, however large it is. */
  takeBatch(maxEvents: number, maxBytes: number): readonly Held[] {
    let count = 0;
    let bytes = 0;
    for (const held of this.#queue) {
      const isFull = count === maxEvents || bytes + held.bytes + bytesBeside(count + 1) > maxBytes;
      if (count > 0 && isFull) break;
      count += 1;
      bytes += held.bytes;
    }
    this.#queueBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /** Puts events back before those that have not gone yet. */
  putBack(events: readonly Held[]): void {
    if (events.length === 0) return;
    this.#queue = [...events, ...this.#queue];
    this.#queueBytes += sumOfBytes(events);
  }

  /** Keeps an event of a batch out of the queue until then. */
  defer(held: Held, untilMs: number): void {
    this.#deferred.push({ held, untilMs });
  }

  /** Puts back what was deferred until now. */
  resume(nowMs: number): void {
    if (this.#deferred.length === 0) return;
    const due = this.#deferred.filter(({ untilMs }) => untilMs <= nowMs);
    this.#deferred = this.#deferred.filter(({ untilMs }) => untilMs > nowMs);
    this.putBack(due.map(({ held }) => held));
  }

  /** Takes out what is too old now; at infinity, all that is not under way. */
  takeExpired(nowMs: number): readonly Held[] {
    if (this.nextExpiryMs > nowMs) return [];
    const isExpired = ({ expiresMs }: Held): boolean => expiresMs <= nowMs;
    const deferred = this.#deferred.map(({ held }) => held);
    const expired = [...this.#queue, ...deferred].filter(isExpired);
    this.#queue = this.#queue.filter((held) => !isExpired(held));
    this.#deferred = this.#deferred.filter(({ held }) => !isExpired(held));
    this.#queueBytes = sumOfBytes(this.#queue);
    return expired;
  }

  /** An event is settled: its room goes to those who wait. */
  release({ bytes }: Held): void {
    this.#heldEvents -= 1;
    this.#heldBytes -= bytes;
    while (this.#waiting.length > 0 && this.#hasRoom(this.#waiting[0]!.bytes)) this.#waiting.shift()!.take();
  }

  #add(event: CloudEvent, text: string, bytes: number): void {
    const takenMs = this.#options.nowMs();
    const expiresMs = takenMs + this.#options.maxAgeMs;
    const sequence = this.#sequence++;
    this.#queue.push({ event, text, bytes, sequence, takenMs, expiresMs, attempts: 0, mayBeStored: false });
    this.#queueBytes += bytes;
    this.#heldEvents += 1;
    this.#heldBytes += bytes;
  }

  #hasRoom(bytes: number): boolean {
    const { maxEvents, maxBytes } = this.#options;
    return this.#heldEvents < maxEvents && this.#heldBytes + bytes <= maxBytes;
  }
}
