/** Whether a definition can go on from state that another, or an earlier, definition wrote. */
import type { SectionSchema } from "./section.ts";

/** The state was written by a definition whose state means something else. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
}

/**
 * Sections and aggregates may be added: they start empty. Everything else must be as it was written.
 * @throws SchemaMismatchError that names the first difference
 */
export function requireCompatible(
  pipeline: string,
  written: readonly SectionSchema[],
  current: readonly SectionSchema[],
): void {
  const difference = differenceOf(written, current);
  if (difference === undefined) return;
  throw new SchemaMismatchError(`the state cannot be read with the definition of ${pipeline}: ${difference}`);
}

/**
 * Where the section that another definition wrote is in this one; -1 where it is not. An input and an output may have
 * the same name: that of a pipeline which is called like its topic.
 */
export function indexOfSection(current: readonly SectionSchema[], written: SectionSchema): number {
  return current.findIndex(
    (section) => section.name === written.name && isInput(section) === isInput(written),
  );
}

const isInput = ({ kind }: SectionSchema): boolean => kind.endsWith("input");

function titleOf(section: SectionSchema): string {
  if (isInput(section)) return `the input ${section.name}`;
  return section.name === "." ? "its output" : `the branch ${section.name.slice(1)}`;
}

function differenceOf(
  written: readonly SectionSchema[],
  current: readonly SectionSchema[],
): string | undefined {
  // Outputs first: what changes of an input may only follow from them, as the time that identities are remembered.
  const outputsFirst = [...written].sort((a, b) => Number(isInput(a)) - Number(isInput(b)));
  for (const before of outputsFirst) {
    const now = current[indexOfSection(current, before)];
    if (now === undefined) return `${titleOf(before)} was removed`;
    const difference = sectionDifference(before, now);
    if (difference !== undefined) return difference;
  }
  const topics = (schemas: readonly SectionSchema[]) => schemas.filter(isInput).map(({ name }) => name);
  const [before, now] = [topics(written).join(", "), topics(current).join(", ")];
  return before === now ? undefined : `its inputs were ${before} and are now ${now}`;
}

/** Slices go on from windows that are kept whole, but not the other way round. */
const isSameKind = (before: SectionSchema, now: SectionSchema): boolean =>
  before.kind === now.kind || (before.kind === "fixed-windows" && now.kind === "sliced-windows");

function sectionDifference(before: SectionSchema, now: SectionSchema): string | undefined {
  if (!isSameKind(before, now)) return `${titleOf(now)} was ${before.kind} and is now ${now.kind}`;
  const names = new Set([...Object.keys(before.settings), ...Object.keys(now.settings)]);
  for (const name of names) {
    const [was, is] = [JSON.stringify(before.settings[name]), JSON.stringify(now.settings[name])];
    // What another horizon has forgotten is noted when the state is read (InputState).
    if (name === "dedupeHorizonMs" && was !== "null" && is !== "null") continue;
    if (was !== is) return `${name} of ${titleOf(now)} was ${was} and is now ${is}`;
  }
  for (const { name, kind } of before.aggregates) {
    const same = now.aggregates.find((aggregate) => aggregate.name === name);
    if (same === undefined) return `aggregate ${name} of ${titleOf(now)} was removed`;
    if (same.kind !== kind) return `aggregate ${name} of ${titleOf(now)} was ${kind} and is now ${same.kind}`;
  }
  return undefined;
}
