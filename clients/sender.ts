/**
 * A well-behaved producer for POST /events: it gathers events into batches, sends one batch at a time and less when the
 * platform says that it is loaded, tries again what may succeed, and keeps an account of each event. docs/sending.md
 * says how to use it.
 */
import type { CloudEvent } from "../contracts/cloudevent.ts";
import { maxBodyBytes, maxEventBytes } from "../contracts/limits.ts";
import { AimdLimit } from "../flow/aimd.ts";
import { fullJitterMs } from "../flow/backoff.ts";
import { type Answer, type Problem, readAnswer, readLoad, type Verdict } from "./answer.ts";
import { Backlog, type Held } from "./backlog.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Authorize, exchange } from "./exchange.ts";
import { checkLimits, defaultLimits, type SenderLimits } from "./limits.ts";

export type { Problem } from "./answer.ts";
export type { Authorize, EventsRequest } from "./exchange.ts";

export interface SenderOptions extends Partial<SenderLimits> {
  /** The door: `https://…/events`. */
  readonly url: string;
  /** @default no headers beside the content type */
  readonly authorize?: Authorize;
  /** Told of each event that ends otherwise than delivered. An error that it throws is an uncaught exception. */
  readonly onGivenUp: (event: CloudEvent, outcome: GivenUp) => void;
  /** Told of the events that the door has accepted, by the batch: from then on they are not lost. @default nobody */
  readonly onDelivered?: (events: readonly CloudEvent[]) => void;
  /** What tests replace. @default Node's own */
  readonly ports?: Partial<SenderPorts>;
}

export interface SenderPorts {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Why an event was given up. */
export type GivenUp = Reason & {
  /**
   * Whether an attempt may have stored it all the same: its answer was lost, or was a server's error. To send it again
   * is harmless: pipelines drop the copy, by its source and id.
   */
  readonly mayBeStored: boolean;
};

type Reason =
  /** The door will never take it; the problem says why. */
  | { readonly reason: "refused"; readonly problem: Problem }
  /** 401 or 403 for the whole request, also with the headers that `authorize` made anew. */
  | { readonly reason: "unauthorized"; readonly status: number }
  | { readonly reason: "too-old" }
  | { readonly reason: "attempts-spent"; readonly last: string }
  /** The sender was closed, and its deadline passed. */
  | { readonly reason: "closed" };

/** `send` after `close`, or while it waited for room. The event was not taken. */
export class SenderClosedError extends Error {
  override readonly name = "SenderClosedError";

  constructor() {
    super("The sender is closed: the event was not taken. Make another sender.");
  }
}

/** No door takes so large an event. It was not taken. */
export class EventTooLargeError extends Error {
  override readonly name = "EventTooLargeError";

  constructor(bytes: number) {
    super(
      `The event has ${bytes} bytes as JSON; at most ${maxEventBytes} are taken. Send a reference to what is large.`,
    );
  }
}

/** Above this load less is sent; 1 is all that the platform clears within its latency target. */
const TARGET_LOAD = 0.7;
/** From one event a batch back to the most takes so many answers without load. */
const RECOVERY_ANSWERS = 100;
const BACKOFF = { baseMs: 200, maxMs: 30_000 };

/** Waits for the events that were taken before it. */
interface Flush {
  readonly beforeSequence: number;
  left: number;
  resolve(): void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #limits: SenderLimits;
  readonly #ports: SenderPorts;
  readonly #backlog: Backlog;
  readonly #batchSize: AimdLimit;
  readonly #flushes = new Set<Flush>();
  readonly #running: Promise<void>;
  /** Aborted to end the present sleep; undefined while it does not sleep. */
  #alarm: AbortController | undefined;
  #sleepsUntilMs = Number.NEGATIVE_INFINITY;
  /** Aborted at the end: so is the request that is under way then. */
  readonly #stop = new AbortController();
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** Requests in a row that decided nothing. */
  #failures = 0;
  #closing: Promise<void> | undefined;

  /** @throws RangeError where a limit is none */
  constructor(options: SenderOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options };
    checkLimits(this.#limits);
    this.#ports = { fetch, clock: systemClock, random: Math.random, ...options.ports };
    const { maxBatchEvents, maxBufferedEvents, maxBufferedBytes, maxAgeMs } = this.#limits;
    this.#backlog = new Backlog({
      maxEvents: maxBufferedEvents,
      maxBytes: maxBufferedBytes,
      maxAgeMs,
      nowMs: () => this.#ports.clock.nowMs(),
    });
    this.#batchSize = new AimdLimit({
      min: 1,
      max: maxBatchEvents,
      increase: maxBatchEvents / RECOVERY_ANSWERS,
      targetLoad: TARGET_LOAD,
    });
    this.#running = this.#run();
  }

  /**
   * Takes an event. It resolves once there is room for it, so that who awaits it is never faster than the platform;
   * from then on the event ends exactly once, in `onDelivered` or in `onGivenUp`. Where it rejects, the event was not
   * taken: {@link SenderClosedError}, {@link EventTooLargeError}, or JSON.stringify's own error.
   */
  async send(event: CloudEvent): Promise<void> {
    if (this.#closing !== undefined) throw new SenderClosedError();
    const text = JSON.stringify(event);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxEventBytes) throw new EventTooLargeError(bytes);
    const taken = this.#backlog.take(event, text, bytes);
    if (this.#nextSendMs() < this.#sleepsUntilMs) this.#wake();
    await taken;
  }

  /** Events that were taken and have not ended yet. */
  get pendingEvents(): number {
    return this.#backlog.heldEvents;
  }

  /**
   * Sends without lingering, and resolves when all events that were taken so far have ended: with true, or with false
   * where the time is over first. Then they go on.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    const left = this.#backlog.heldEvents;
    if (left === 0) return true;
    const ended = new AbortController();
    const flush = { beforeSequence: this.#backlog.nextSequence, left, resolve: () => ended.abort() };
    this.#flushes.add(flush);
    this.#wake();
    await this.#ports.clock.sleep(timeoutMs, ended.signal);
    this.#flushes.delete(flush);
    return flush.left === 0;
  }

  /**
   * Takes nothing more, flushes, and gives up what has not ended by then. Afterwards the sender keeps no timer, no
   * request and no event; every event has ended.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#backlog.refuseWaiting(new SenderClosedError());
    await this.flush(timeoutMs);
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const nowMs = this.#ports.clock.nowMs();
      for (const held of this.#backlog.takeExpired(nowMs)) this.#giveUp(held, { reason: "too-old" });
      this.#backlog.resume(nowMs);
      const sendMs = this.#nextSendMs();
      if (sendMs <= nowMs) await this.#sendBatch();
      else await this.#sleepUntil(Math.min(sendMs, this.#backlog.nextExpiryMs), nowMs);
    }
    for (const held of this.#backlog.takeExpired(Number.POSITIVE_INFINITY)) {
      this.#giveUp(held, { reason: "closed" });
    }
  }

  /** Infinity while there is nothing to send. */
  #nextSendMs(): number {
    const { first, dueMs } = this.#backlog;
    if (first === undefined) return Math.max(this.#pausedUntilMs, dueMs);
    // No more can join the batch, or nobody wants to wait for it.
    const isWhole = this.#backlog.isFull || this.#backlog.fills(this.#batchSize.value, maxBodyBytes);
    const lingers = !isWhole && first.attempts === 0 && this.#flushes.size === 0;
    return lingers
      ? Math.max(this.#pausedUntilMs, first.takenMs + this.#limits.lingerMs)
      : this.#pausedUntilMs;
  }

  async #sleepUntil(untilMs: number, nowMs: number): Promise<void> {
    this.#alarm = new AbortController();
    this.#sleepsUntilMs = untilMs;
    await this.#ports.clock.sleep(untilMs - nowMs, this.#alarm.signal);
    this.#alarm = undefined;
    this.#sleepsUntilMs = Number.NEGATIVE_INFINITY;
  }

  #wake(): void {
    this.#alarm?.abort();
  }

  async #sendBatch(): Promise<void> {
    const batch = this.#backlog.takeBatch(this.#batchSize.value, maxBodyBytes);
    const answer = await this.#ask(batch, false);
    this.#apply(batch, answer.kind === "unauthorized" ? await this.#ask(batch, true) : answer);
  }

  /** Sends the batch once. What is no answer counts as one that the platform is unavailable. */
  async #ask(batch: readonly Held[], renew: boolean): Promise<Answer> {
    const { fetch, clock } = this.#ports;
    const { url, authorize = () => ({}) } = this.#options;
    const body = `[${batch.map(({ text }) => text).join(",")}]`;
    const ports = { fetch, clock, authorize, timeoutMs: this.#limits.requestTimeoutMs };
    const outcome = await exchange(url, body, renew, this.#stop.signal, ports);
    if (outcome.kind === "failed") {
      if (outcome.sent) markUnknown(batch);
      return { kind: "unavailable", why: outcome.why, retryAfterMs: 0 };
    }
    const load = readLoad(outcome.answer);
    if (load !== undefined) this.#batchSize.observe(load);
    const answer = readAnswer(outcome.answer, batch.length, clock.epochMs());
    // 429 is said before anything is stored.
    if (answer.kind === "unavailable" && outcome.answer.status !== 429) markUnknown(batch);
    return answer;
  }

  #apply(batch: readonly Held[], answer: Answer): void {
    switch (answer.kind) {
      case "verdicts":
        this.#applyVerdicts(batch, answer.verdicts);
        break;
      case "unavailable":
        this.#tryAgain(batch, answer.why, answer.retryAfterMs);
        break;
      case "unauthorized":
        this.#refuse(batch, { reason: "unauthorized", status: answer.status });
        break;
      case "refused":
        this.#refuse(batch, { reason: "refused", problem: answer.problem });
        break;
      case "indivisible":
        this.#split(batch, answer.problem);
        break;
    }
  }

  #applyVerdicts(batch: readonly Held[], verdicts: readonly Verdict[]): void {
    const delivered: Held[] = [];
    const undecided: Held[] = [];
    let retryAfterMs = 0;
    for (const [index, held] of batch.entries()) {
      const verdict = verdicts[index]!;
      if (verdict.kind === "accepted") delivered.push(held);
      else if (verdict.kind === "refused")
        this.#giveUp(held, { reason: "refused", problem: verdict.problem });
      else undecided.push(held);
      if (verdict.kind === "untold") held.mayBeStored = true;
      if (verdict.kind === "overloaded") retryAfterMs = Math.max(retryAfterMs, verdict.retryAfterMs);
    }
    this.#deliver(delivered);
    const why = "the platform was overloaded";
    if (undecided.length === batch.length) this.#tryAgain(batch, why, retryAfterMs);
    else this.#tryLater(undecided, why, retryAfterMs);
  }

  /** Others of its batch passed: only what did not has to wait. */
  #tryLater(events: readonly Held[], why: string, retryAfterMs: number): void {
    this.#failures = 0;
    for (const held of this.#countAttempt(events, why)) {
      this.#backlog.defer(held, this.#againMs(retryAfterMs, held.attempts));
    }
  }

  /** The whole batch again, after a while in which nothing else goes either. */
  #tryAgain(batch: readonly Held[], why: string, retryAfterMs: number): void {
    this.#failures += 1;
    this.#pausedUntilMs = this.#againMs(retryAfterMs, this.#failures);
    this.#backlog.putBack(this.#countAttempt(batch, why));
  }

  #refuse(batch: readonly Held[], reason: Reason): void {
    this.#failures = 0;
    for (const held of batch) this.#giveUp(held, reason);
  }

  /** Half as many events pass, or at least one of two halves; down to the one that never does. */
  #split(batch: readonly Held[], problem: Problem): void {
    if (batch.length === 1) {
      this.#refuse(batch, { reason: "refused", problem });
    } else {
      this.#batchSize.lowerTo(Math.floor(batch.length / 2));
      this.#backlog.putBack(batch);
    }
  }

  /** Those that may be tried again; the others are given up. */
  #countAttempt(events: readonly Held[], why: string): readonly Held[] {
    return events.filter((held) => {
      held.attempts += 1;
      const isSpent = held.attempts >= this.#limits.maxAttempts;
      if (isSpent) this.#giveUp(held, { reason: "attempts-spent", last: why });
      return !isSpent;
    });
  }

  /** Not before Retry-After, which no event outlives, and then not together with all others who were told the same. */
  #againMs(retryAfterMs: number, failures: number): number {
    const { clock, random } = this.#ports;
    const delayMs = Math.min(retryAfterMs, this.#limits.maxAgeMs);
    return clock.nowMs() + delayMs + fullJitterMs(failures, BACKOFF, random);
  }

  #deliver(delivered: readonly Held[]): void {
    if (delivered.length === 0) return;
    const { onDelivered } = this.#options;
    const events = delivered.map(({ event }) => event);
    // What the callback throws must not end this loop.
    if (onDelivered !== undefined) queueMicrotask(() => onDelivered(events));
    for (const held of delivered) this.#end(held);
  }

  #giveUp(held: Held, reason: Reason): void {
    const { event, mayBeStored } = held;
    const { onGivenUp } = this.#options;
    queueMicrotask(() => onGivenUp(event, { ...reason, mayBeStored }));
    this.#end(held);
  }

  #end(held: Held): void {
    this.#backlog.release(held);
    for (const flush of this.#flushes) {
      if (held.sequence < flush.beforeSequence) flush.left -= 1;
      if (flush.left === 0) flush.resolve();
    }
  }
}

/** No answer said what became of them. */
function markUnknown(batch: readonly Held[]): void {
  for (const held of batch) held.mayBeStored = true;
}
