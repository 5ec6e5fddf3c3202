/**
 * One undisturbed task over the whole input of a partition: what every run, however disturbed, must have written. It
 * takes its cuts where the run's commits fell, so that outputs can be held against each other byte for byte.
 * test/mutants gives this module, and what it imports, the unchanged engine.
 */
import type { Manifest } from "../../../../processors/engine/checkpoint/manifest.ts";
import type { OutputRecord, RecordBatch } from "../../../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState, type TaskState } from "../../../../processors/engine/state/task-state.ts";
import type { Cut, Tick } from "../../../../processors/engine/task/cut.ts";
import type { Answered, Enquiries, Enquiry } from "../../../../processors/engine/task/enquiry.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { batchOf, type TestRecord } from "../../../support/records.ts";
import { canonicalBytes } from "./canonical-state.ts";
import { definitionOf, type Kind } from "./pipeline.ts";
import { keysOf } from "./scenario.ts";

/**
 * A task that fires nothing by itself when a record makes it due, so that it can be cut right behind the record. A task
 * that was restored may come to a stop there: its first step may be one that does nothing but look again later.
 */
class SteppedTask extends Task {
  #applying = false;

  override apply(...args: Parameters<Task["apply"]>): number {
    this.#applying = true;
    const next = super.apply(...args);
    this.#applying = false;
    return next;
  }

  override fire(maxSteps: number): number {
    return this.#applying ? 0 : super.fire(maxSteps);
  }
}

export class Reference {
  readonly #definition: PipelineDefinition;
  readonly #batch: RecordBatch;
  /** Of the records in the batch, by offset. */
  readonly #indexes: ReadonlyMap<number, number>;
  readonly #newTask: (nextCheckpoint: number, state?: TaskState) => SteppedTask;
  readonly #task: SteppedTask;
  #next = 0;

  constructor(
    kind: Kind,
    topic: string,
    partition: number,
    partitions: number,
    records: readonly TestRecord[],
  ) {
    const definition = definitionOf(kind);
    this.#definition = definition;
    this.#batch = batchOf({ topic, partition }, records);
    this.#indexes = new Map(records.map((record, index) => [record.offset, index]));
    const starts = definition.inputs.map(() => 0);
    this.#newTask = (nextCheckpoint, state = emptyState(definition, starts)) =>
      new SteppedTask({ definition, partition, partitions, generation: 1, nextCheckpoint, state });
    this.#task = this.#newTask(0);
  }

  /**
   * Goes on to where a checkpoint fell, and cuts there. Recorded ticks and answers are inputs like records. Inside of a
   * firing this is the first of the places that look like that, see {@link statesAt}. Whether a task fires is not quite
   * part of its state: after a recovery it may look at what is not due yet where an undisturbed one does not.
   * @param outputs how many the checkpoint has: what a firing dead-letters is not counted anywhere else
   * @returns null where the task never is at what the manifest says
   */
  cutAt({ offsets, counters, firing, ticks = [], answered = [] }: Position, outputs: number): Cut | null {
    const task = this.#task;
    const enquiries = this.#enquiries(task, answered);
    const [{ offset }] = offsets as [Manifest["offsets"][number]];
    const left = [...ticks];
    for (;;) {
      // Markers are all that is left of what the checkpoint had read.
      if (left.length === 0 && this.#offsetAt(this.#next) >= offset) task.stepTo(0, offset);
      const isThere = left.length === 0 && task.offsets[0] === offset && (firing || !task.firing);
      const isBehind = firing && task.pendingOutputs.length < outputs;
      if (isThere && !isBehind && sameCounts(task.counters, counters)) return task.cut();
      if (task.firing) task.fire(1);
      else if (left.length > 0 && this.#isRead(this.#next, left[0]!)) tick(task, left.shift()!);
      else if (this.#offsetAt(this.#next) < offset && !task.blocked)
        this.#next = task.apply(this.#batch, this.#next, 1, enquiries);
      else return null;
    }
  }

  /** Everything that the input, the ticks and the answers give, of a task that was never cut. */
  all(ticks: readonly Tick[], answered: readonly Answered[]): readonly OutputRecord[] {
    const task = this.#newTask(0);
    const enquiries = this.#enquiries(task, answered);
    const left = [...ticks];
    for (let next = 0; next < this.#batch.count || task.firing || left.length > 0; ) {
      if (task.firing) task.fire(1_000);
      else if (left.length > 0 && this.#isRead(next, left[0]!)) tick(task, left.shift()!);
      else if (next < this.#batch.count && !task.blocked) next = task.apply(this.#batch, next, 1, enquiries);
      else break;
    }
    return task.cut().outputs;
  }

  /**
   * The states that the task may have where a checkpoint fell: a firing also does what shows nowhere, as when it forgets
   * a session, so that several of its steps may look the same from outside.
   */
  statesAt({ snapshot }: Cut): Uint8Array[] {
    const keys = keysOf[this.#batch.partition]!;
    const states: Uint8Array[] = [];
    const task = this.#newTask(0, decodeSnapshot(this.#definition, snapshot));
    for (let next = snapshot; ; next = task.cut().snapshot) {
      states.push(canonicalBytes(this.#definition, decodeSnapshot(this.#definition, next), keys));
      if (!task.firing) return states;
      task.fire(1);
      if (task.pendingOutputs.length > 0) return states;
    }
  }

  /** What is asked about a record's elements; null: nothing. */
  questionsAt(offset: number): readonly (string | null)[] {
    return this.#enquiryAt(this.#task, offset)?.questions ?? [];
  }

  #enquiries(task: Task, answered: readonly Answered[]): Enquiries {
    const answers = new Map(answered.map((each) => [each.offset, each.answers]));
    return {
      of: (_, offset) => {
        const enquiry = this.#enquiryAt(task, offset) ?? undefined;
        for (const [element, answer] of (answers.get(offset) ?? []).entries()) {
          if (answer !== null) enquiry?.answer(element, answer);
        }
        return enquiry;
      },
    };
  }

  #enquiryAt(task: Task, offset: number): Enquiry | null {
    const index = this.#indexes.get(offset);
    return index === undefined ? null : task.enquire(this.#batch, index, true);
  }

  /** Whether what was read when the tick came lies before the record at `next`. */
  #isRead(next: number, { offsets }: Tick): boolean {
    return this.#offsetAt(next) >= offsets[0]!;
  }

  #offsetAt(index: number): number {
    return index < this.#batch.count ? this.#batch.offset(index) : Number.POSITIVE_INFINITY;
  }
}

type Position = Pick<Manifest, "offsets" | "counters" | "firing" | "ticks" | "answered">;

const tick = (task: Task, { input, nowMs }: Tick): boolean => task.tick(input, nowMs);

const sameCounts = (a: object, b: object): boolean =>
  Object.entries(a).every(([name, count]) => (b as Record<string, unknown>)[name] === count);
