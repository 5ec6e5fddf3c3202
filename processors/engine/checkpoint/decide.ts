/**
 * What an owner must do first, from the committed position and the slot: a pure function, so that every case of
 * the design's rules 5, 6 and 8 can be read, and tested, in one place.
 */
import type { CommittedOffset, Log, TopicPartition } from "../log/port.ts";
import { CheckpointError } from "./errors.ts";
import { type CommitPointer, decodePointer } from "./manifest.ts";
import type { Slot } from "./store.ts";

export type FirstStep =
  /** Nothing was ever registered or committed: register genesis and commit it. */
  | { readonly kind: "genesis" }
  /** The committed checkpoint is the newest: load it. */
  | { readonly kind: "load"; readonly pointer: CommitPointer }
  /** The slot holds a prepared child of what is committed: publish it again, then load it. */
  | { readonly kind: "roll-forward"; readonly manifest: string };

/**
 * @param committed the committed offset of each input, in the definition's order
 * @throws CheckpointError where the position is lost: the task parks
 */
export function decideFirstStep(committed: readonly CommittedOffset[], slot: Slot | null): FirstStep {
  const absent = committed.filter(({ offset }) => offset === null);
  if (absent.length === committed.length) return withoutPosition(committed, slot);
  if (absent.length > 0) {
    throw new CheckpointError(
      "offset-absent",
      `${describe(absent)} has no committed offset, though other inputs do`,
    );
  }
  const negative = committed.filter(({ offset }) => offset! < 0);
  if (negative.length > 0) {
    throw new CheckpointError(
      "offset-negative",
      `the committed offset of ${describe(negative)} is negative: the client lost its position in the log`,
    );
  }
  return withPosition(committed, slot);
}

function withoutPosition(committed: readonly CommittedOffset[], slot: Slot | null): FirstStep {
  if (slot === null) return { kind: "genesis" };
  if (slot.parent === null) return { kind: "roll-forward", manifest: slot.id };
  throw new CheckpointError(
    "offset-absent",
    `${describe(committed)} has no committed offset, but checkpoint ${slot.id} exists: the offsets were lost ` +
      "(expired, deleted, or another cluster)",
  );
}

function withPosition(committed: readonly CommittedOffset[], slot: Slot | null): FirstStep {
  const pointers = committed.map(({ metadata }) => decodePointer(metadata));
  const [pointer] = pointers;
  if (pointer == null || pointers.some((other) => other?.manifest !== pointer.manifest)) {
    throw new CheckpointError(
      "offset-foreign",
      `the committed offset of ${describe(committed)} does not name one checkpoint: something else commits to this group`,
    );
  }
  if (slot?.id === pointer.manifest) return { kind: "load", pointer };
  if (slot?.parent === pointer.manifest) return { kind: "roll-forward", manifest: slot.id };
  throw new CheckpointError(
    "unknown-checkpoint",
    `the committed offset names checkpoint ${pointer.manifest}, the checkpoint table ${slot?.id ?? "none"}: ` +
      "the table is older than the group, or of another deployment",
  );
}

/** @throws CheckpointError where reading cannot go on, or begin, there */
export function requireInsideLog(
  { topic, partition, offset }: TopicPartition & { readonly offset: number },
  { low, high }: Awaited<ReturnType<Log["bounds"]>>,
): void {
  if (offset >= low && offset <= high) return;
  throw new CheckpointError(
    "offset-outside-log",
    `offset ${offset} of ${topic}-${partition} is not in the log, which holds ${low} to ${high}: ` +
      "records were deleted before they were read, or the topic was made anew",
  );
}

const describe = (offsets: readonly CommittedOffset[]): string =>
  offsets.map(({ topic, partition }) => `${topic}-${partition}`).join(", ");
