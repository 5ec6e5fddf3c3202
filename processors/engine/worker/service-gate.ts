/**
 * Where the tasks of a process call a service (design, section 5): as often, as many at once and as much in one call as
 * the pipeline states, and not at all while it is away. What the tasks are told here are answers like any other: each
 * enters its task as an input and is kept, so nothing of this has to be repeated after a crash.
 *
 * The stated rate is the whole pipeline's. A process has the share of the tasks that it runs, and they share that: one
 * that asks nothing leaves its part to the others. What a whole process does not use, no other one has.
 */
import { AdaptiveBatch } from "../../../flow/adaptive-batch.ts";
import { CircuitBreaker } from "../../../flow/breaker.ts";
import { RetryBudget } from "../../../flow/retry-budget.ts";
import { limitsWithin, TokenBucket } from "../../../flow/token-bucket.ts";
import { TtlCache } from "../../../flow/ttl-cache.ts";
import type { Enrichment } from "../pipeline/enrichment.ts";
import type { Answer, SkipCause } from "../task/enquiry.ts";
import type { AskService, Clock } from "./ports.ts";
import { type CallOutcome, outcomeOf } from "./service-call.ts";
import {
  type LineOptions,
  type OpenQuestion,
  type ServiceCall,
  ServiceLine,
  type Waiter,
} from "./service-line.ts";

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

const BREAKER = { windowMs: 10_000, minCalls: 20, maxErrorShare: 0.05, openMs: 5_000, trialCalls: 3 };
/** How often it is looked whether the breaker lets a call through. */
const BREAKER_POLL_MS = 250;

const RETRIES = { maxRetryShare: 0.1, minRetriesPerSecond: 1, maxSavedRetries: 10 };

export interface ServiceGateOptions {
  readonly enrich: Enrichment;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  /** Default: the pipeline's own call. */
  readonly ask?: AskService;
}

export class ServiceGate {
  readonly #options: ServiceGateOptions;
  readonly #breaker: CircuitBreaker;
  readonly #retries: RetryBudget;
  readonly #batch: AdaptiveBatch;
  readonly #cache: TtlCache<string> | null;
  #bucket: TokenBucket | null = null;
  #lines: ServiceLine[] = [];
  /** The line whose turn it is. */
  #turn = 0;
  readonly #open = new Map<string, OpenQuestion>();
  /** Calls that failed, or were refused, and are made again. */
  #again: ServiceCall[] = [];
  #inFlight = 0;
  /** Until when the service wants to be left alone. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(options: ServiceGateOptions) {
    const { enrich, clock } = options;
    this.#options = options;
    // A call that takes too long has failed: it has its timeout.
    this.#breaker = new CircuitBreaker({ ...BREAKER, slowCallMs: enrich.timeoutMs, maxSlowShare: 1 });
    this.#retries = new RetryBudget(RETRIES, clock.nowMs());
    this.#batch = new AdaptiveBatch({ maxSize: enrich.maxQuestionsPerCall });
    this.#cache = enrich.cache === null ? null : new TtlCache(enrich.cache);
  }

  /** Questions that a task may have open: as many as its calls have room for. */
  get maxOpenQuestions(): number {
    const { maxInFlight, maxQuestionsPerCall } = this.#options.enrich;
    return maxInFlight * maxQuestionsPerCall;
  }

  /** A task begins to ask; it ends when its signal aborts. */
  open(options: LineOptions): ServiceLine {
    const line = new ServiceLine(this, this.#options.enrich, options);
    this.#lines.push(line);
    this.#shareRate(options.partitions);
    if (options.signal.aborted) this.#close(line);
    else options.signal.addEventListener("abort", () => this.#close(line), { once: true });
    return line;
  }

  /** @returns the answer, where it is known already */
  ask(text: string, waiter: Waiter, first: boolean): Answer | undefined {
    const nowMs = this.#options.clock.nowMs();
    const json = this.#cache?.get(text, nowMs);
    if (json !== undefined) return { json };
    const open = this.#open.get(text);
    if (open !== undefined) {
      open.waiters.push(waiter);
      return undefined;
    }
    const { line } = waiter;
    const skipped = line.skipCause(this.#breaker.state(nowMs) === "open");
    if (skipped !== null) return { skipped };
    const question = { text, waiters: [waiter], owner: line, call: null };
    this.#open.set(text, question);
    line.open += 1;
    if (first) line.queue.unshift(question);
    else line.queue.push(question);
    return undefined;
  }

  /** Makes the calls that may be made now, and looks again when the next one may. */
  call(): void {
    const { clock, enrich } = this.#options;
    const nowMs = clock.nowMs();
    this.#skipBehind();
    if (this.#breaker.state(nowMs) === "open") this.#skipAway();
    while (this.#inFlight < enrich.maxInFlight * this.#lines.length) {
      const waitMs = this.#waitMs(nowMs);
      if (waitMs === undefined) return;
      if (waitMs > 0) {
        this.#callIn(waitMs);
        return;
      }
      const isTrial = this.#breaker.state(nowMs) !== "closed";
      if (!this.#breaker.tryAcquire(nowMs)) {
        this.#skipAway();
        this.#callIn(BREAKER_POLL_MS);
        return;
      }
      this.#bucket?.take(nowMs);
      void this.#make(isTrial ? this.#trial(nowMs) : this.#next(nowMs));
    }
  }

  /** How long until the next call; undefined where there is nothing to ask. */
  #waitMs(nowMs: number): number | undefined {
    const isQueued = this.#lines.some(({ queue }) => queue.length > 0);
    const dueMs = isQueued ? nowMs : Math.min(...this.#again.map((call) => call.dueMs));
    if (dueMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, dueMs - nowMs, this.#quietUntilMs - nowMs, this.#bucket?.waitMs(nowMs) ?? 0);
  }

  #next(nowMs: number): ServiceCall {
    return this.#takeAgain(nowMs) ?? this.#first(this.#batch.size, nowMs)!;
  }

  /**
   * A call that shows whether the service is back. It asks something new where it can, so that in a long outage one and
   * the same question does not use up its attempts.
   */
  #trial(nowMs: number): ServiceCall {
    return this.#first(1, nowMs) ?? this.#takeAgain(nowMs)!;
  }

  #takeAgain(nowMs: number): ServiceCall | undefined {
    const due = this.#again.findIndex(({ dueMs }) => dueMs <= nowMs);
    return due === -1 ? undefined : this.#again.splice(due, 1)[0];
  }

  #first(maxQuestions: number, nowMs: number): ServiceCall | undefined {
    const questions: OpenQuestion[] = [];
    // One of each line in turn, so that nobody's wait behind another's.
    for (let empty = 0; empty < this.#lines.length && questions.length < maxQuestions; ) {
      this.#turn = (this.#turn + 1) % this.#lines.length;
      const question = this.#lines[this.#turn]!.queue.shift();
      empty = question === undefined ? empty + 1 : 0;
      if (question !== undefined) questions.push(question);
    }
    if (questions.length === 0) return undefined;
    this.#retries.called();
    return this.#newCall(questions, 1, nowMs);
  }

  #newCall(questions: readonly OpenQuestion[], attempt: number, dueMs: number, refusals = 0): ServiceCall {
    const call = { questions, attempt, refusals, dueMs, abandoned: new AbortController() };
    for (const question of questions) question.call = call;
    return call;
  }

  async #make(call: ServiceCall): Promise<void> {
    const { clock, enrich, ask } = this.#options;
    const { signal } = call.abandoned;
    this.#inFlight += 1;
    const startedMs = clock.nowMs();
    const questions = call.questions.map(({ text }) => text);
    const outcome = await outcomeOf(enrich, questions, { clock, signal, ...(ask && { ask }) });
    this.#inFlight -= 1;
    if (!signal.aborted) this.#settle(call, outcome, clock.nowMs() - startedMs);
    this.call();
  }

  #settle(call: ServiceCall, outcome: CallOutcome, tookMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#breaker.record({ failed: outcome.kind === "failed", tookMs }, nowMs);
    switch (outcome.kind) {
      case "failed":
        this.#failed(call, call.questions, outcome.error, nowMs);
        return;
      case "refused":
        this.#quietUntilMs = Math.max(this.#quietUntilMs, nowMs + outcome.retryAfterMs);
        this.#refused(call, outcome.error);
        return;
      case "answered":
        this.#batch.record({ records: call.questions.length, tookMs }, nowMs);
        this.#answered(call, outcome.answers, nowMs);
    }
  }

  #answered(
    call: ServiceCall,
    answers: (CallOutcome & { kind: "answered" })["answers"],
    nowMs: number,
  ): void {
    const lines = new Set<ServiceLine>();
    const failed: OpenQuestion[] = [];
    let error: Error | undefined;
    for (const [index, answer] of answers.entries()) {
      const question = call.questions[index]!;
      if ("error" in answer) {
        failed.push(question);
        error = answer.error;
        continue;
      }
      this.#cache?.set(question.text, answer.json, nowMs);
      this.#answer(question, answer, lines);
    }
    if (error !== undefined) this.#failed(call, failed, error, nowMs);
    for (const line of lines) line.options.onAnswered();
  }

  /** It is made again, however often; but what may be skipped does not wait for a service that takes nothing. */
  #refused({ questions: all, attempt, refusals }: ServiceCall, error: Error): void {
    const { onFailure, maxAttempts } = this.#options.enrich;
    const questions = wanted(all);
    this.#tell(questions, error);
    if (onFailure === "skip" && refusals + 1 >= maxAttempts) this.#skip(questions, "away");
    else this.#again.push(this.#newCall(questions, attempt, this.#quietUntilMs, refusals + 1));
  }

  /** These are asked again, or were asked often enough. */
  #failed({ attempt }: ServiceCall, all: readonly OpenQuestion[], error: Error, nowMs: number): void {
    const questions = wanted(all);
    this.#tell(questions, error);
    if (questions.length === 0) return;
    if (attempt < this.#options.enrich.maxAttempts) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS);
      const dueMs = nowMs + Math.max(pauseMs, this.#retries.take(nowMs));
      this.#again.push(this.#newCall(questions, attempt + 1, dueMs));
      return;
    }
    const lines = new Set<ServiceLine>();
    for (const question of questions) this.#answer(question, { failure: error.message }, lines);
    for (const line of lines) line.options.onAnswered();
  }

  /** @param lines takes in whose question it was */
  #answer(question: OpenQuestion, answer: Answer, lines: Set<ServiceLine>): void {
    if (question.waiters.length === 0) return;
    this.#open.delete(question.text);
    question.owner.open -= 1;
    for (const { line, take } of question.waiters) {
      take(answer);
      lines.add(line);
    }
    question.waiters = [];
  }

  #tell(questions: readonly OpenQuestion[], error: Error): void {
    const lines = new Set(questions.flatMap(({ waiters }) => waiters.map(({ line }) => line)));
    for (const { options } of lines) options.onFailure(error);
  }

  /** What lines wait to have asked that are too far behind to wait for it. */
  #skipBehind(): void {
    const isBehind = (line: ServiceLine): boolean => line.skipCause(false) !== null;
    if (!this.#lines.some(isBehind)) return;
    const queued = this.#lines.filter(isBehind).flatMap(({ queue }) => queue.splice(0));
    const again = this.#again.flatMap(({ questions }) => questions).filter(({ owner }) => isBehind(owner));
    this.#skip([...queued, ...again], "backlog");
    this.#again = this.#again.filter(({ questions }) => wanted(questions).length > 0);
  }

  /** Everything that waits to be asked, where it may be skipped. */
  #skipAway(): void {
    if (this.#options.enrich.onFailure !== "skip") return;
    const again = this.#again.flatMap(({ questions }) => questions);
    this.#again = [];
    this.#skip([...again, ...this.#lines.flatMap(({ queue }) => queue.splice(0))], "away");
  }

  #skip(questions: readonly OpenQuestion[], cause: SkipCause): void {
    const lines = new Set<ServiceLine>();
    for (const question of questions) this.#answer(question, { skipped: cause }, lines);
    // Later: who is told asks on, and is the one who called.
    for (const line of lines) void Promise.resolve().then(() => line.options.onAnswered());
  }

  #callIn(waitMs: number): void {
    this.#wake.abort();
    this.#wake = new AbortController();
    const { signal } = this.#wake;
    void this.#options.clock.sleep(Math.ceil(waitMs), signal).then(() => {
      if (!signal.aborted) this.call();
    });
  }

  #shareRate(partitions: number): void {
    const { enrich, clock } = this.#options;
    if (enrich.maxRequestsPerSecond === null || this.#lines.length === 0) return;
    const nowMs = clock.nowMs();
    const limits = limitsWithin((enrich.maxRequestsPerSecond * this.#lines.length) / partitions);
    if (this.#bucket === null) this.#bucket = new TokenBucket(limits, nowMs);
    else this.#bucket.change(limits, nowMs);
  }

  /** What the task asked is dropped, but for what others ask too. */
  #close(line: ServiceLine): void {
    this.#lines = this.#lines.filter((other) => other !== line);
    for (const question of this.#open.values()) this.#leave(question, line);
    this.#shareRate(line.options.partitions);
    if (this.#lines.length === 0) this.#wake.abort();
    else this.call();
  }

  #leave(question: OpenQuestion, line: ServiceLine): void {
    const { owner, call } = question;
    question.waiters = question.waiters.filter((waiter) => waiter.line !== line);
    const [heir] = question.waiters;
    if (heir === undefined) {
      this.#open.delete(question.text);
      if (call?.questions.every(({ waiters }) => waiters.length === 0)) this.#abandon(call);
    } else if (owner === line) {
      question.owner = heir.line;
      heir.line.open += 1;
      if (call === null) heir.line.queue.push(question);
    }
  }

  #abandon(call: ServiceCall): void {
    call.abandoned.abort();
    this.#again = this.#again.filter((other) => other !== call);
  }
}

/** Nobody may wait any more for what a task asked that has ended. */
const wanted = (questions: readonly OpenQuestion[]): readonly OpenQuestion[] =>
  questions.filter(({ waiters }) => waiters.length > 0);
