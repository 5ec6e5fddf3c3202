/**
 * Mutants of taking a task: rules 6 and 8, and 1 where it parks. That the offsets are read before the slot cannot be shown:
 * what one who is not the owner would make of the other order, the check before parking and the epoch of its
 * registration refuse as well.
 */
import type { SimulatedMutant } from "../mutant.ts";

const OWNERSHIP = "processors/engine/worker/ownership.ts";
const DECIDE = "processors/engine/checkpoint/decide.ts";
const CHECKPOINTER = "processors/engine/checkpoint/checkpointer.ts";
const READ = "processors/engine/checkpoint/read-verified.ts";
const RUNNER = "processors/engine/worker/runner.ts";

export const ownershipMutants: readonly SimulatedMutant[] = [
  {
    name: "a task is not claimed",
    rule: 6,
    file: OWNERSHIP,
    find: "await this.#store.claim(this.#task, context.owner);",
    replace: "await this.#store.read(this.#task);",
    seeds: [7],
  },
  {
    name: "a task is fenced before it is claimed",
    rule: 6,
    file: OWNERSHIP,
    find: "    const { epoch, generation } = await this.#store.claim(this.#task, context.owner);\n    this.#epoch = epoch;\n    try {\n      await this.#fence();\n",
    replace:
      "    await this.#fence();\n    const { epoch, generation } = await this.#store.claim(this.#task, context.owner);\n    this.#epoch = epoch;\n    try {\n",
    seeds: [],
  },
  {
    name: "the slot is read whoever has claimed the task since",
    rule: 6,
    file: OWNERSHIP,
    find: "if (epoch === this.#epoch) return slot;",
    replace: "if (epoch > 0) return slot;",
    seeds: [101],
  },
  {
    name: "offsets that show late are not awaited",
    rule: 6,
    file: OWNERSHIP,
    find: 'if (step.kind !== "roll-forward" || reread === REREADS) return step;',
    replace: "return step;",
    seeds: [7],
  },
  {
    name: "offsets that show late park the task",
    rule: 6,
    file: OWNERSHIP,
    find: "        if (reread === REREADS) throw error;\n",
    replace: "        throw error;\n",
    seeds: [8],
  },
  {
    name: "fetching goes on from where it was",
    rule: 6,
    file: RUNNER,
    find: "      membership.seek({ ...position, offset: task.offsets[input]! });\n",
    replace: "      void position;\n      void input;\n",
    seeds: [],
  },
  {
    name: "batches that wait are applied to a state that was loaded",
    rule: 6,
    file: RUNNER,
    find: "    this.#intake.clear();\n",
    replace: "",
    seeds: [],
  },
  {
    name: "the epoch is not checked when a checkpoint is registered",
    rule: 6,
    file: CHECKPOINTER,
    find: "    await store.register(task, epoch, {",
    replace: "    await store.register(task, (await store.read(task)).epoch + epoch * 0, {",
    seeds: [6],
  },
  {
    name: "an absent offset starts the task anew",
    rule: 8,
    file: DECIDE,
    find: '  if (slot === null) return { kind: "genesis" };\n',
    replace: '  if (slot === null || slot.parent !== null) return { kind: "genesis" };\n',
    seeds: [72],
    needsLoss: true,
  },
  {
    name: "an absent offset is rolled forward whatever the slot holds",
    rule: 8,
    file: DECIDE,
    find: 'if (slot.parent === null) return { kind: "roll-forward", manifest: slot.id };',
    replace: 'return { kind: "roll-forward", manifest: slot.id };',
    seeds: [72],
    needsLoss: true,
  },
  {
    name: "a genesis that was never committed parks its task",
    rule: 8,
    file: DECIDE,
    find: '  if (slot.parent === null) return { kind: "roll-forward", manifest: slot.id };\n',
    replace: "",
    seeds: [],
  },
  {
    name: "genesis is not registered",
    rule: 8,
    file: OWNERSHIP,
    find: "    const prepared = await this.#prepare(cut, generation, null);\n",
    replace:
      "    const name = this.#checkpointer.newName(this.#epoch, cut.number);\n" +
      "    const prepared = await this.#checkpointer.write(name, cut, generation, null);\n",
    seeds: [],
  },
  {
    name: "genesis is not committed",
    rule: 8,
    file: OWNERSHIP,
    find: "    await this.#publish(prepared);\n    return { ...prepared, state",
    replace: "    return { ...prepared, state",
    seeds: [],
  },
  {
    name: "a negative offset is not noticed",
    rule: 8,
    file: DECIDE,
    find: "  if (negative.length > 0) {",
    replace: "  if (negative.length > 9) {",
    seeds: [6],
    needsLoss: true,
  },
  {
    name: "an offset without our metadata is taken for the slot's",
    rule: 8,
    file: DECIDE,
    find: "const pointers = committed.map(({ metadata }) => decodePointer(metadata));",
    replace:
      "const pointers = committed.map(\n" +
      '    ({ metadata }) => decodePointer(metadata) ?? (slot && { manifest: slot.id, sha256: "" }),\n' +
      "  );",
    seeds: [12],
    needsLoss: true,
  },
  {
    name: "a pointer that the slot does not know is followed",
    rule: 8,
    file: DECIDE,
    find: 'if (slot?.id === pointer.manifest) return { kind: "load", pointer };',
    replace: 'if (slot?.parent !== pointer.manifest) return { kind: "load", pointer };',
    seeds: [54],
    needsLoss: true,
  },
  {
    name: "a position below the log is not noticed",
    rule: 8,
    file: DECIDE,
    find: "  if (offset >= low && offset <= high) return;\n",
    replace: "  if (offset <= high) return;\n",
    seeds: [24],
    needsLoss: true,
  },
  {
    name: "a position above the log is not noticed",
    rule: 8,
    file: DECIDE,
    find: "  if (offset >= low && offset <= high) return;\n",
    replace: "  if (offset >= low) return;\n",
    seeds: [30],
    needsLoss: true,
  },
  {
    name: "a missing blob is waited for",
    rule: 8,
    file: READ,
    find: 'if (bytes === null) throw new CheckpointError("missing",',
    replace: 'if (bytes === null) throw new Error("missing" +',
    seeds: [36],
    needsLoss: true,
  },
  {
    name: "a damaged blob is not noticed",
    rule: 8,
    file: READ,
    find: "if (expectedSha256 !== null && sha256(bytes) !== expectedSha256) {",
    replace: "if (expectedSha256 !== null && sha256(bytes) === null) {",
    seeds: [264],
    needsLoss: true,
  },
  {
    name: "one who is not the owner parks the task",
    rule: 8,
    file: OWNERSHIP,
    find: "      if (error instanceof CheckpointError) await this.#readSlot();\n",
    replace: "",
    seeds: [101],
  },
  {
    name: "another number of partitions is not noticed",
    rule: 1,
    file: CHECKPOINTER,
    find: "    if (partitions === current) return;\n",
    replace: "    if (partitions > 0) return;\n    void current;\n",
    seeds: [66],
    needsLoss: true,
  },
  {
    name: "an idle task never commits",
    rule: 8,
    file: RUNNER,
    find: "|| startedMs - committedMs >= IDLE_CHECKPOINT_MS) {",
    replace: "|| startedMs - committedMs < 0) {",
    seeds: [],
  },
  {
    name: "a day without commits begins anew with each owner",
    rule: 8,
    file: RUNNER,
    find: 'let committedMs = step === "load" ? Number.NEGATIVE_INFINITY : startedMs;',
    replace: "let committedMs = startedMs;\n    void step;",
    seeds: [],
  },
];
