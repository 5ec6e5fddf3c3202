/**
 * Drives a pipeline without Kafka: feed it records, ticks and watermarks, crash it, and read what it wrote.
 *
 *     const driver = new TestDriver(airportDelays, { partitions: 4 });
 *     driver.feed({ value: cloudEvent(flightDeparted, { id: "1", timeMs: 0, data: { … } }) });
 *     driver.crash();
 *     driver.flush();
 *     expect(driver.results).toEqual([…]);
 *
 * The tasks, their checkpoints and the snapshot codec are the engine's own. There is no clock: nothing happens unless
 * it is fed.
 */
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { SPEC_VERSION } from "../../../contracts/cloudevent.ts";
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import type { DataOf, EventDefinition } from "../../../contracts/events/catalogue.ts";
import type { OutputRecord } from "../log/port.ts";
import { toJsonText } from "../operators/frozen-json.ts";
import type { InputDefinition, PipelineDefinition } from "../pipeline/definition.ts";
import { COUNTERS, type Counters } from "../state/task-state.ts";
import type { Answer, KnownAnswer } from "../task/enquiry.ts";
import { messageOf } from "../task/rejection.ts";
import { type DeadRecord, deadIn, type Emission, emissionsIn, type LateRecord, lateIn } from "./outputs.ts";
import type { ListedRecord, RecordList } from "./record-list.ts";
import { expectedKey, partitionOfRecord } from "./routing.ts";
import { stagesWithPartitions, topicsOf } from "./stages.ts";
import { TestStage } from "./test-stage.ts";

export type { DeadRecord, Emission, LateRecord } from "./outputs.ts";

export interface TestDriverOptions {
  /** Partitions of every input, and so tasks. Default 1. */
  readonly partitions?: number;
  /**
   * Answers every question of `enrich` as soon as it is asked; what it throws is a failure. Default: records wait until
   * {@link TestDriver.answer} or {@link TestDriver.fail} is called.
   */
  readonly answer?: (question: string) => unknown;
}

export interface TestRecord {
  /** Text and bytes as they are, null as a record without a value, anything else as JSON. */
  readonly value: unknown;
  /**
   * The Kafka key. Default: the key that the pipeline expects of such a value; null where there is none. A table's
   * record needs one: it is the row's.
   */
  readonly key?: string | null;
  /** When the record reached Kafka, milliseconds. Default: as soon as its event, and those before it, happened. */
  readonly arrivalMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which of the pipeline's inputs. Default: the first that is no table. */
  readonly topic?: string;
  /** Default: where the key hashes to. */
  readonly partition?: number;
}

/** Something that was fed; what came after the last checkpoint is fed again after a crash. */
type Step =
  | { readonly kind: "records"; readonly stage: TestStage; readonly batch: RecordList }
  | {
      readonly kind: "tick";
      readonly stage: TestStage;
      readonly partition: number;
      readonly input: number;
      readonly nowMs: number;
    }
  | { readonly kind: "answer"; readonly question: string; readonly answer: Answer };

/** Consecutive records of one partition of a topic. */
interface Run {
  readonly topic: string;
  readonly partition: number;
  readonly records: ListedRecord[];
}

/** Past the end of any window that a date can lie in. */
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;
const utf8 = new TextEncoder();

export class TestDriver {
  readonly #definition: PipelineDefinition;
  /** In the order in which records pass through them; the last is the pipeline itself. */
  readonly #stages: readonly TestStage[];
  readonly #eventTopics: readonly string[];
  readonly #tables: readonly string[];
  /** When the last record of all arrived, and the last of each partition of a topic. */
  #arrivalMs = Number.NEGATIVE_INFINITY;
  readonly #arrivalsMs = new Map<string, number[]>();
  #steps: Step[] = [];
  readonly #committed: OutputRecord[] = [];
  #pending: OutputRecord[] = [];
  readonly #answer: ((question: string) => unknown) | undefined;

  constructor(definition: PipelineDefinition, { partitions = 1, answer }: TestDriverOptions = {}) {
    this.#definition = definition;
    this.#answer = answer;
    this.#stages = stagesWithPartitions(definition, partitions).map((stage) => new TestStage(stage));
    this.#eventTopics = topicsOf(definition, "events");
    this.#tables = topicsOf(definition, "table");
  }

  /** Records in their order; those that follow each other in one partition are a batch. */
  feed(...records: readonly TestRecord[]): void {
    let run: Run | undefined;
    for (const record of records) {
      const { topic = this.#eventTopics[0]! } = record;
      const { partition, listed } = this.#list(topic, record);
      if (run?.topic !== topic || run.partition !== partition) {
        if (run !== undefined) this.#feedRun(run);
        run = { topic, partition, records: [] };
      }
      run.records.push(listed);
    }
    if (run !== undefined) this.#feedRun(run);
  }

  /** An in-band watermark record to every partition of every topic that events come from, or of the one named. */
  watermark(watermarkMs: number, topic?: string): void {
    const headers = { [WATERMARK_HEADER]: String(watermarkMs) };
    const record = { key: null, value: null, arrivalMs: this.#latestArrivalMs, headers };
    for (const each of topic === undefined ? this.#eventTopics : [topic]) {
      const { partitions } = this.#readersOf(each)[0]!;
      for (let partition = 0; partition < partitions; partition++) {
        this.#feedRun({ topic: each, partition, records: [record] });
      }
    }
  }

  /** A watermark that closes every window. */
  flush(): void {
    this.watermark(END_OF_TIME_MS);
  }

  /**
   * The clock says `nowMs`: each input that has an idle timeout, and had no record for so long, is ticked, as a worker
   * does at the end of the log.
   */
  tick(nowMs: number): void {
    for (const stage of this.#stages) {
      for (const [input, { topic, role, idleTimeoutMs }] of stage.definition.inputs.entries()) {
        if (role !== "events" || idleTimeoutMs === null) continue;
        for (let partition = 0; partition < stage.partitions; partition++) {
          const arrivalMs = this.#arrivalsMs.get(topic)?.[partition] ?? Number.NEGATIVE_INFINITY;
          if (nowMs - arrivalMs >= idleTimeoutMs)
            this.#take({ kind: "tick", stage, partition, input, nowMs });
        }
      }
    }
  }

  /** What records wait for: each question of `enrich` that has no answer, in the order of the records, once. */
  get questions(): readonly string[] {
    return [...new Set(this.#stages.flatMap(({ questions }) => questions))];
  }

  /** The service answers a question, with any JSON; records that wait for nothing else are applied, in their order. */
  answer(question: string, answer: unknown): void {
    this.#requireAsked(question);
    this.#take({ kind: "answer", question, answer: { json: toJsonText(answer, "an answer") } });
  }

  /** Every attempt to ask the service has failed; what that means to the record is the pipeline's `onFailure`. */
  fail(question: string, failure = "no answer"): void {
    this.#requireAsked(question);
    this.#take({ kind: "answer", question, answer: { failure } });
  }

  /** The service is optional and was not asked: the records go on, and say so. */
  skip(question: string): void {
    this.#requireAsked(question);
    this.#take({ kind: "answer", question, answer: { skipped: "backlog" } });
  }

  /** Makes a checkpoint of every task. */
  checkpoint(): void {
    for (const stage of this.#stages) stage.checkpoint();
    this.#committed.push(...this.#pending);
    this.#pending = [];
    this.#steps = this.#stages.flatMap((stage) => waitingIn(stage));
  }

  /**
   * Drops all memory, recovers every task from the last checkpoint (from nothing, where there was none) and feeds
   * again what came since. What was written since is dropped, and written anew.
   */
  crash(): void {
    for (const stage of this.#stages) stage.crash();
    this.#pending = [];
    for (const step of this.#steps) this.#perform(step);
  }

  /** Everything that was written, as records: in the order of what was fed. */
  get outputs(): readonly OutputRecord[] {
    return [...this.#committed, ...this.#pending];
  }

  /** Results and retractions, in the order in which they were written. */
  get emissions(): readonly Emission[] {
    return emissionsIn(this.#definition, this.outputs);
  }

  get results(): readonly Emission[] {
    return this.emissions.filter(({ kind }) => kind === "result");
  }

  get retractions(): readonly Emission[] {
    return this.emissions.filter(({ kind }) => kind === "retract");
  }

  get late(): readonly LateRecord[] {
    return lateIn(this.#definition, this.outputs);
  }

  get dead(): readonly DeadRecord[] {
    return deadIn(this.outputs);
  }

  /** What became of the records, over all partitions; where the pipeline has several stages, of those of its last. */
  get counters(): Readonly<Counters> {
    const last = this.#stages.at(-1)!;
    const counters = Array.from({ length: last.partitions }, (_, partition) => last.task(partition).counters);
    const total = (name: keyof Counters) => counters.reduce((sum, each) => sum + each[name], 0);
    return Object.fromEntries(COUNTERS.map((name) => [name, total(name)])) as unknown as Counters;
  }

  /** The watermark of a partition (of the last stage); minus infinity before the first event. */
  watermarkMs(partition = 0): number {
    return this.#stages.at(-1)!.task(partition).watermarkMs;
  }

  #readersOf(topic: string): readonly TestStage[] {
    const topics = [...this.#eventTopics, ...this.#tables];
    if (topics.includes(topic)) {
      return this.#stages.filter(({ definition }) =>
        definition.inputs.some((input) => input.topic === topic),
      );
    }
    const { name } = this.#definition;
    throw new Error(`pipeline ${name} does not read the topic ${topic}; it reads ${topics.join(", ")}`);
  }

  readonly #knownAnswer: KnownAnswer = (question) =>
    this.#answer === undefined ? undefined : this.#ownAnswer(question);

  #list(topic: string, record: TestRecord): { partition: number; listed: ListedRecord } {
    const [{ definition, partitions }] = this.#readersOf(topic) as [TestStage];
    const input = definition.inputs.find((each) => each.topic === topic)!;
    const value = bytesOf(record.value);
    const { headers = {}, key = value && expectedKey(input, value, this.#knownAnswer) } = record;
    const { partition = partitionOfRecord(key, value ?? new Uint8Array(), partitions) } = record;
    if (!(partition >= 0 && partition < partitions)) {
      throw new Error(`there is no partition ${partition} of ${topic}; the driver has ${partitions}`);
    }
    const arrivalMs = record.arrivalMs ?? this.#arrivalOf(input, value);
    this.#arrivalMs = Math.max(this.#arrivalMs, arrivalMs);
    return { partition, listed: { key: key === null ? null : utf8.encode(key), value, arrivalMs, headers } };
  }

  /** As soon as an event happened it may arrive, but not before those that arrived already. */
  #arrivalOf({ source }: InputDefinition, value: Uint8Array | null): number {
    try {
      const timeMs = value === null ? Number.NaN : source.time(source.decode(value));
      if (Number.isFinite(timeMs)) return Math.max(this.#arrivalMs, timeMs);
    } catch {
      // The task will say what is wrong with it.
    }
    return this.#latestArrivalMs;
  }

  get #latestArrivalMs(): number {
    return Number.isFinite(this.#arrivalMs) ? this.#arrivalMs : 0;
  }

  #feedRun({ topic, partition, records }: Run): void {
    const arrivals = this.#arrivalsMs.get(topic) ?? [];
    arrivals[partition] = records.at(-1)!.arrivalMs;
    this.#arrivalsMs.set(topic, arrivals);
    for (const stage of this.#readersOf(topic)) {
      this.#take({ kind: "records", stage, batch: stage.append(topic, partition, records) });
    }
  }

  #take(step: Step): void {
    this.#steps.push(step);
    this.#perform(step);
    if (this.#answer === undefined) return;
    for (let [question] = this.questions; question !== undefined; [question] = this.questions) {
      const answered: Step = { kind: "answer", question, answer: this.#ownAnswer(question) };
      this.#steps.push(answered);
      this.#perform(answered);
    }
  }

  #ownAnswer(question: string): Answer {
    try {
      return { json: toJsonText(this.#answer!(question), "an answer") };
    } catch (error) {
      return { failure: messageOf(error) };
    }
  }

  #requireAsked(question: string): void {
    const { questions } = this;
    if (questions.includes(question)) return;
    const asked = questions.length === 0 ? "nothing" : questions.map((each) => `"${each}"`).join(", ");
    throw new Error(`nobody asks "${question}"; records wait for ${asked}`);
  }

  #perform(step: Step): void {
    if (step.kind === "records") step.stage.apply(step.batch);
    else if (step.kind === "tick") step.stage.tick(step.partition, step.input, step.nowMs);
    else for (const stage of this.#stages) stage.answer(step.question, step.answer);
    for (const [index, stage] of this.#stages.entries()) {
      const outputs = stage.take();
      this.#pending.push(...outputs);
      this.#passOn(stage.definition, outputs, this.#stages.slice(index + 1));
    }
  }

  #passOn(
    { forwards }: PipelineDefinition,
    outputs: readonly OutputRecord[],
    later: readonly TestStage[],
  ): void {
    const records = outputs.filter(({ topic }) => topic === forwards?.topic);
    for (const stage of later) {
      const reads = stage.definition.inputs.some(({ topic }) => topic === forwards?.topic);
      if (reads && records.length > 0) stage.forward(forwards!.topic, records, this.#latestArrivalMs);
    }
  }
}

/** What a checkpoint does not hold: records that wait, and what was answered about them. */
function waitingIn(stage: TestStage): Step[] {
  const { batches, answered } = stage.waiting;
  return [
    ...batches.map((batch): Step => ({ kind: "records", stage, batch })),
    ...answered.map(([question, answer]): Step => ({ kind: "answer", question, answer })),
  ];
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value;
  return utf8.encode(typeof value === "string" ? value : JSON.stringify(value));
}

/** An event of the catalogue as it is in Kafka, its subject being the key that its type says. */
export function cloudEvent<D extends EventDefinition>(
  { type, partitionKey }: D,
  { id, timeMs, data }: { readonly id: string; readonly timeMs: number; readonly data: DataOf<D> },
): CloudEvent<DataOf<D>> {
  return {
    specversion: SPEC_VERSION,
    id,
    source: "urn:spillway:test",
    type,
    time: new Date(timeMs).toISOString(),
    subject: String((data as Readonly<Record<string, unknown>>)[partitionKey]),
    data,
  };
}
