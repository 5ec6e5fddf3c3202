/** Processes and tasks that ask a service, in time that stands until a test lets it pass. */
import { type Enrichment, TryLaterError } from "../../../../../processors/engine/pipeline/enrichment.ts";
import type { Answer } from "../../../../../processors/engine/task/enquiry.ts";
import type { AskService } from "../../../../../processors/engine/worker/ports.ts";
import { ServiceGate } from "../../../../../processors/engine/worker/service-gate.ts";
import type { ServiceLine } from "../../../../../processors/engine/worker/service-line.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const enrichment = (options: Partial<Enrichment> = {}): Enrichment => ({
  service: "places",
  question: String,
  ask: () => Promise.reject(new Error("the test has a service of its own")),
  combine: (element) => element,
  onFailure: "dead-letter",
  timeoutMs: 1_000,
  maxAttempts: 3,
  maxInFlight: 50,
  maxQuestionsPerCall: 1,
  maxRequestsPerSecond: null,
  cache: null,
  skipAboveWaitingRecords: null,
  after: null,
  ...options,
});

export interface ServiceCallSeen {
  readonly atMs: number;
  readonly questions: readonly string[];
}

/** A service that counts what reaches it, refuses what is beyond its rate, and fails where it is told to. */
export class TestService {
  readonly calls: ServiceCallSeen[] = [];
  maxPerSecond = Number.POSITIVE_INFINITY;
  latencyMs = 20;
  isAway = false;
  refused = 0;
  inFlight = 0;
  mostInFlight = 0;
  /** What it says to a question; an Error is that question's failure. */
  answer: (question: string) => unknown = (question) => `of ${question}`;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  ask: AskService = async (_, questions, { signal }) => {
    const atMs = this.#clock.nowMs();
    this.calls.push({ atMs, questions });
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      if (this.#isBeyondRate()) {
        this.refused += 1;
        throw new TryLaterError(1_000);
      }
      await this.#clock.sleep(this.latencyMs, signal);
      if (this.isAway) throw new Error("503");
      return questions.map((question) => this.answer(question));
    } finally {
      this.inFlight -= 1;
    }
  };

  /** The most calls of any one second, its start included and its end not. */
  get mostInASecond(): number {
    let most = 0;
    for (let first = 0, last = 0; last < this.calls.length; last++) {
      while (this.calls[last]!.atMs - this.calls[first]!.atMs >= 1_000) first += 1;
      most = Math.max(most, last - first + 1);
    }
    return most;
  }

  #isBeyondRate(): boolean {
    if (this.maxPerSecond === 0) return true;
    const earlier = this.calls.at(-1 - this.maxPerSecond);
    return earlier !== undefined && this.#clock.nowMs() - earlier.atMs < 1_000;
  }
}

export interface TestLine {
  readonly line: ServiceLine;
  readonly answers: Map<string, Answer[]>;
  readonly failures: string[];
  ask(...questions: string[]): void;
  end(): void;
}

export function scene(options: Partial<Enrichment> = {}) {
  const clock = new VirtualClock();
  const service = new TestService(clock);
  const gate = () => new ServiceGate({ enrich: enrichment(options), clock, ask: service.ask });
  return { clock, service, gate };
}

/** A task of as many. */
export function lineAt(
  gate: ServiceGate,
  partitions = 1,
  onAnswered: () => void = () => undefined,
): TestLine {
  const stop = new AbortController();
  const failures: string[] = [];
  const answers = new Map<string, Answer[]>();
  const line = gate.open({
    partitions,
    signal: stop.signal,
    onAnswered,
    onFailure: ({ message }) => failures.push(message),
  });
  const take = (question: string, answer: Answer) =>
    answers.set(question, [...(answers.get(question) ?? []), answer]);
  return {
    line,
    answers,
    failures,
    ask: (...questions) => {
      for (const question of questions) {
        const known = line.ask(question, (answer) => take(question, answer), false);
        if (known !== undefined) take(question, known);
      }
      line.call();
    },
    end: () => stop.abort(),
  };
}

/** A task that asks something new for as long as it may. */
export function busyLineAt(gate: ServiceGate, partitions: number): TestLine {
  let asked = 0;
  const name = Math.random().toString(36);
  const more = () => {
    while (busy.line.hasRoom) {
      asked += 1;
      busy.ask(`${name} ${asked}`);
    }
  };
  const busy: TestLine = lineAt(gate, partitions, more);
  more();
  return busy;
}
