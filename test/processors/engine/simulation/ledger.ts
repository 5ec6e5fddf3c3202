/**
 * Holds everything that becomes visible against what must: at the moment at which it happens, so that a seed fails
 * where a rule is broken and not where it shows.
 */

import { Checkpointer } from "../../../../processors/engine/checkpoint/checkpointer.ts";
import {
  type BlobReference,
  decodeManifest,
  decodePointer,
  type Manifest,
} from "../../../../processors/engine/checkpoint/manifest.ts";
import type { CheckpointStore, Slot } from "../../../../processors/engine/checkpoint/store.ts";
import type { Commit, OutputRecord } from "../../../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import type { Tick } from "../../../../processors/engine/task/cut.ts";
import type { SkipCause } from "../../../../processors/engine/task/enquiry.ts";
import { canonicalBytes } from "./canonical-state.ts";
import type { Reference } from "./reference.ts";
import { keysOf } from "./scenario.ts";
import type { StoreModel } from "./store-model.ts";
import type { TransactionEvents } from "./transaction-model.ts";

/** One checkpoint in so many is loaded and held against the undisturbed task's state. */
const COMPARE_STATE_EVERY = 6;

interface Committed {
  readonly name: string;
  readonly manifest: Manifest;
}

interface Account {
  readonly reference: Reference;
  /** In the order in which they were committed. */
  readonly checkpoints: Committed[];
  readonly outputs: OutputRecord[];
  /** By checkpoint number: what readers of uncommitted data may have seen. */
  readonly written: Map<number, { readonly name: string; readonly outputs: readonly OutputRecord[] }>;
}

export interface LedgerOptions {
  readonly definition: PipelineDefinition;
  readonly references: readonly Reference[];
  readonly taskOf: (partition: number) => string;
  /** Whether a tick came at the end of the partition's log. */
  readonly isAtEnd: (partition: number, tick: Tick) => boolean;
  /** Whether the service ever gave this answer to this question. */
  readonly wasGiven: (question: string, json: string) => boolean;
  readonly problem: (text: string) => void;
}

export class Ledger implements TransactionEvents {
  readonly #options: LedgerOptions;
  readonly #accounts: readonly Account[];
  #store: StoreModel | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#accounts = options.references.map((reference) => ({
      reference,
      checkpoints: [],
      outputs: [],
      written: new Map(),
    }));
  }

  observe(store: StoreModel): void {
    this.#store = store;
  }

  lastOf(partition: number): Manifest | undefined {
    return this.#accounts[partition]!.checkpoints.at(-1)?.manifest;
  }

  committedOf(partition: number): readonly Committed[] {
    return this.#accounts[partition]!.checkpoints;
  }

  /** The manifest of a checkpoint that is known to be there. */
  manifest(name: string): Manifest {
    return decodeManifest(name, this.#store!.blobs.get(name)!);
  }

  /** Rule 4: (a) before (b), and the parent is what is committed. */
  registered({ id, parent }: Slot): void {
    const manifest = this.#durable(id, "registered");
    if (manifest === null) return;
    const last = this.#accounts[manifest.partition]!.checkpoints.at(-1);
    if ((last?.name ?? null) === parent) return;
    this.#problem(`${id} was registered as the child of ${parent}, committed is ${last?.name}`);
  }

  wrote(commit: Commit): void {
    const { name, partition } = nameOf(commit);
    const slot = this.#slot(partition);
    if (slot?.id !== name) {
      this.#problem(`${name} was written while the slot holds ${slot?.id}`);
      return;
    }
    const manifest = this.#durable(name, "written");
    if (manifest === null) return;
    const { written } = this.#accounts[partition]!;
    const before = written.get(manifest.number);
    if (before === undefined) {
      written.set(manifest.number, { name, outputs: commit.outputs });
    } else if (before.name !== name || !sameRecords(before.outputs, commit.outputs)) {
      this.#problem(
        `readers saw ${before.name} as checkpoint ${manifest.number}, and now ${name} or other bytes`,
      );
    }
  }

  committed(commit: Commit, records: readonly OutputRecord[]): void {
    const { name, partition } = nameOf(commit);
    const account = this.#accounts[partition]!;
    const manifest = this.#durable(name, "committed");
    if (manifest === null) return;
    const last = account.checkpoints.at(-1);
    if (manifest.number !== (last === undefined ? 0 : last.manifest.number + 1)) {
      this.#problem(`${name} was committed after ${last?.name}`);
      return;
    }
    if (this.#slot(partition)?.id !== name) this.#problem(`${name} was committed without being registered`);
    if (records.length !== commit.outputs.length)
      this.#problem(`${name} was committed without all of its outputs`);
    const offset = offsetOf(manifest);
    if (offset !== commit.offsets[0]!.offset || offset < (last === undefined ? 0 : offsetOf(last.manifest))) {
      this.#problem(`${name} commits the offset ${commit.offsets[0]!.offset}, its manifest ${offset}`);
    }
    for (const tick of manifest.ticks ?? []) {
      if (this.#options.isAtEnd(partition, tick)) continue;
      this.#problem(`${name}: a tick came while records followed: ${JSON.stringify(tick)}`);
    }
    this.#requireGiven(account, name, manifest);
    account.checkpoints.push({ name, manifest });
    account.outputs.push(...records);
    this.#compare(account, name, manifest, records);
  }

  /** Blobs of owners before the present one that are no part of what is committed (rule 9). */
  leftOvers(partition: number): string[] {
    const task = this.#options.taskOf(partition);
    const { name, manifest } = this.#accounts[partition]!.checkpoints.at(-1)!;
    const { epoch } = this.#store!.slots.get(task)!;
    const kept = new Set([name, ...blobNames(manifest)]);
    const names = [...this.#store!.blobs.keys()].filter((blob) => blob.startsWith(`${task}/`));
    return names.filter(
      (blob) => !kept.has(blob) && Number(blob.slice(task.length + 1).split("-")[0]) < epoch,
    );
  }

  /** The whole run against one task that was never cut. */
  compareWhole(partition: number): void {
    const { reference, outputs, written, checkpoints } = this.#accounts[partition]!;
    const ticks = checkpoints.flatMap(({ manifest }) => manifest.ticks ?? []);
    const answered = checkpoints.flatMap(({ manifest }) => manifest.answered ?? []);
    const expected = reference.all(ticks, answered).map(withoutVersion);
    const wrong = expected.findIndex(
      (line, index) => line !== (outputs[index] && withoutVersion(outputs[index])),
    );
    if (wrong !== -1 || outputs.length !== expected.length) {
      this.#problem(
        `partition ${partition}: ${outputs.length} outputs, expected ${expected.length}, wrong at ${wrong}`,
      );
    }
    const unseen = [...written].find(([number]) => number >= checkpoints.length);
    if (unseen !== undefined) this.#problem(`${unseen[1].name} was written but never committed`);
  }

  /** Rule 12: answers are what the service gave to the very question. */
  #requireGiven({ reference }: Account, name: string, { answered = [] }: Manifest): void {
    for (const { offset, answers } of answered) {
      const questions = reference.questionsAt(offset);
      for (const [element, answer] of answers.entries()) {
        if (answer === null || "failure" in answer) continue;
        if ("skipped" in answer) {
          if (!this.#maySkip(answer.skipped))
            this.#problem(`${name}: the service was skipped at offset ${offset}`);
          continue;
        }
        const question = questions[element];
        if (question != null && this.#options.wasGiven(question, answer.json)) continue;
        this.#problem(`${name}: ${answer.json} was never given to ${question}, asked about offset ${offset}`);
      }
    }
  }

  #maySkip(cause: SkipCause): boolean {
    const [input] = this.#options.definition.inputs;
    const { onFailure, skipAboveWaitingRecords } = input!.enrich!;
    return cause === "away" ? onFailure === "skip" : skipAboveWaitingRecords !== null;
  }

  #compare(account: Account, name: string, manifest: Manifest, records: readonly OutputRecord[]): void {
    const cut = account.reference.cutAt(manifest, records.length);
    if (cut === null) {
      this.#problem(`${name} is where no undisturbed task comes: ${JSON.stringify(manifest)}`);
      return;
    }
    if (JSON.stringify(cut.answered) !== JSON.stringify(manifest.answered ?? [])) {
      this.#problem(`${name} keeps other answers than those that were used`);
    }
    if (!sameRecords(cut.outputs, records)) {
      const wrong = cut.outputs.findIndex(
        (output, index) => !records[index] || !sameRecord(output, records[index]),
      );
      const texts = [records[wrong], cut.outputs[wrong]].map((record) => record && exactly(record));
      this.#problem(`${name}: output ${wrong} of ${records.length} is ${texts[0]} instead of ${texts[1]}`);
    }
    if (manifest.number % COMPARE_STATE_EVERY === 1) {
      this.#compareState(name, manifest, account.reference.statesAt(cut)).catch((error: Error) =>
        this.#problem(`${name} cannot be loaded: ${error.stack}`),
      );
    }
  }

  /** State restored = state recomputed. */
  async #compareState(
    name: string,
    { partition, partitions }: Manifest,
    expected: readonly Uint8Array[],
  ): Promise<void> {
    const { definition, taskOf } = this.#options;
    const blobs = this.#store!.blobs;
    const store = { get: async (blob: string) => blobs.get(blob) ?? null } as CheckpointStore;
    const checkpointer = new Checkpointer({
      store,
      task: taskOf(partition),
      definition,
      partition,
      partitions,
      newId: () => "",
    });
    const { state } = await checkpointer.load(name, null);
    const bytes = canonicalBytes(definition, state, keysOf[partition]!);
    if (!expected.some((state) => sameBytes(state, bytes))) {
      this.#problem(`${name}: the restored state is not what an undisturbed task has there`);
    }
  }

  #durable(name: string, deed: string): Manifest | null {
    const { blobs } = this.#store!;
    const bytes = blobs.get(name);
    const manifest = bytes === undefined ? null : decodeManifest(name, bytes);
    const missing = manifest === null ? name : blobNames(manifest).find((blob) => !blobs.has(blob));
    if (missing === undefined) return manifest;
    this.#problem(`${name} was ${deed} while its blob ${missing} is not there`);
    return null;
  }

  #slot(partition: number): Slot | null | undefined {
    return this.#store!.slots.get(this.#options.taskOf(partition))?.slot;
  }

  #problem(text: string): void {
    this.#options.problem(text);
  }
}

/** The next offset to read, of the one input there is. */
export const offsetOf = ({ offsets }: Pick<Manifest, "offsets">): number => offsets[0]!.offset;

/** The blobs that a manifest names. */
export function blobNames({ base, deltas, outputs }: Manifest): string[] {
  const references: (BlobReference | null)[] = [base, ...deltas, outputs];
  return references.flatMap((reference) => (reference === null ? [] : [reference.name]));
}

function nameOf({ offsets }: Commit): { name: string; partition: number } {
  const [{ metadata, partition }] = offsets as [Commit["offsets"][number]];
  return { name: decodePointer(metadata)!.manifest, partition };
}

const sameRecords = (a: readonly OutputRecord[], b: readonly OutputRecord[]): boolean =>
  a === b || (a.length === b.length && a.every((record, index) => sameRecord(record, b[index]!)));

const sameRecord = (a: OutputRecord, b: OutputRecord): boolean =>
  a.topic === b.topic &&
  a.partition === b.partition &&
  sameBytes(a.key, b.key) &&
  sameBytes(a.value, b.value) &&
  sameHeaders(a.headers, b.headers);

const sameBytes = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);

function sameHeaders(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

const exactly = ({ topic, key, value, headers }: OutputRecord): string => {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));
  return JSON.stringify([topic, text(key), text(value), headers]);
};

const withoutVersion = (output: OutputRecord): string =>
  exactly(output).replace(/,\\"version\\":\{[^}]*\}/, "");
