/** Options that say which entries of the archive are meant. */
import {
  type EntryState,
  entryReasons,
  entryStates,
  isEntryReason,
  type Selection,
} from "../../contracts/dead-letter-archive.ts";
import { UsageError } from "../command.ts";

export const selectionOptions = {
  id: { type: "string" },
  state: { type: "string", default: "archived" },
  reason: { type: "string" },
  type: { type: "string" },
  pipeline: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  control: { type: "string" },
} as const;

export const SELECTION_HELP = `  --id I            only this entry
  --state S         ${entryStates.join(", ")}   (default: archived)
  --reason R        such as undecodable; docs/dead-letters.md lists them
  --type T          CloudEvents type, such as flight.departed
  --pipeline P      given up by this pipeline, any of its stages, or this function
  --since T         given up then or later, such as 2026-01-31T00:00:00Z
  --until T         given up before`;

type Given = { readonly [Name in keyof typeof selectionOptions]?: string | undefined };

/** @throws UsageError where a value is none that there is */
export function readSelection(given: Given): Selection {
  const { id, state = "archived", reason, type, pipeline } = given;
  if (!isState(state)) throw new UsageError(`--state takes one of ${entryStates.join(", ")}, not "${state}"`);
  if (reason !== undefined && !isEntryReason(reason)) {
    throw new UsageError(`--reason takes one of ${entryReasons.join(", ")}, not "${reason}"`);
  }
  const sinceMs = timeOf("since", given.since);
  const untilMs = timeOf("until", given.until);
  return {
    state,
    ...(id !== undefined && { id }),
    ...(reason !== undefined && { reason }),
    ...(type !== undefined && { type }),
    ...(pipeline !== undefined && { pipeline }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
}

/** Whether it says more than a state. */
export const isNarrowed = (selection: Selection): boolean => Object.keys(selection).length > 1;

/** What changes entries takes no selection of all of them, which a forgotten option would be. */
export function requireNarrowed(selection: Selection): void {
  if (isNarrowed(selection)) return;
  throw new UsageError(
    "say which entries are meant, with --reason, --type, --pipeline, --since, --until or --id",
  );
}

const isState = (text: string): text is EntryState => (entryStates as readonly string[]).includes(text);

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs))
    throw new UsageError(`--${name} takes a time such as 2026-01-31T00:00:00Z, not "${text}"`);
  return timeMs;
}
