/** What of the catalogue is released: one file for each type, which `spillway schemas release` writes. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { EventDefinition } from "../../contracts/events/catalogue.ts";
import { type Break, findBreaks } from "./compatibility.ts";
import { readShape } from "./shape.ts";

/** An event type as producers and consumers outside of this repository may rely on it. */
export interface Release {
  readonly type: string;
  /** Counts the releases of the type, from 1. Each takes every event that the ones before it took. */
  readonly version: number;
  readonly topic: string;
  /** Topics of those of its events that ask for a priority. Absent where it has only the one. */
  readonly topics?: Readonly<Record<string, string>>;
  readonly partitionKey: string;
  readonly futureBoundMs: number;
  /** JSON Schema of `data`. */
  readonly data: unknown;
}

/** How the catalogue's entry of a type stands to its release. */
export type Standing =
  | { readonly kind: "released"; readonly release: Release }
  /** Compatible, but not what the file says. `release` is what it has to become. */
  | { readonly kind: "unreleased"; readonly release: Release }
  | { readonly kind: "broken"; readonly release: Release; readonly breaks: readonly Break[] };

/** In this repository. */
export const RELEASES_DIRECTORY = path.resolve(import.meta.dirname, "../../contracts/events/released");

/** The releases in a directory, in the order of their types. None where there is no such directory. */
export async function readReleases(directory: string): Promise<readonly Release[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith(".json")).toSorted();
  return Promise.all(
    files.map(async (name) => JSON.parse(await readFile(path.join(directory, name), "utf8")) as Release),
  );
}

/** Writes a release in place of the one before it, which stays in the history of the repository. */
export async function writeRelease(directory: string, release: Release): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, `${release.type}.json`), `${JSON.stringify(release, undefined, 2)}\n`);
}

/**
 * Compares each type of the catalogue, and each that was released, with its release. Throws UnknownKeywordError where a
 * schema says something that cannot be compared.
 */
export function compareWithReleases(
  catalogue: readonly EventDefinition[],
  releases: readonly Release[],
): readonly Standing[] {
  const released = new Map(releases.map((release) => [release.type, release]));
  const types = new Set(catalogue.map(({ type }) => type));
  return [
    ...catalogue.map((definition) => standingOf(definition, released.get(definition.type))),
    ...releases.filter(({ type }) => !types.has(type)).map(removed),
  ];
}

function standingOf(definition: EventDefinition, released: Release | undefined): Standing {
  const release = releaseOf(definition, (released?.version ?? 0) + 1);
  const shape = readShape(release.data, "/data");
  if (released === undefined) return { kind: "unreleased", release };
  const breaks = [
    ...breaksOfEntry(released, release),
    ...findBreaks(readShape(released.data, "/data"), shape),
  ];
  if (breaks.length > 0) return { kind: "broken", release: released, breaks };
  const isSame = JSON.stringify({ ...release, version: released.version }) === JSON.stringify(released);
  return isSame ? { kind: "released", release: released } : { kind: "unreleased", release };
}

/** What an entry says beside its schema. Owner and classification are nobody's to rely on. */
function breaksOfEntry(was: Release, is: Release): readonly Break[] {
  const found: Break[] = [];
  if (is.topic !== was.topic) {
    found.push({ rule: "topic-changed", pointer: "/topic", detail: changed(was.topic, is.topic) });
  }
  for (const [priority, topic] of Object.entries(was.topics ?? {})) {
    const now = is.topics?.[priority] ?? "none";
    if (now === topic) continue;
    found.push({ rule: "topic-changed", pointer: `/topics/${priority}`, detail: changed(topic, now) });
  }
  if (is.partitionKey !== was.partitionKey) {
    const detail = changed(was.partitionKey, is.partitionKey);
    found.push({ rule: "partition-key-changed", pointer: "/partitionKey", detail });
  }
  if (is.futureBoundMs < was.futureBoundMs) {
    const detail = changed(was.futureBoundMs, is.futureBoundMs);
    found.push({ rule: "future-bound-lowered", pointer: "/futureBoundMs", detail });
  }
  return found;
}

function removed(release: Release): Standing {
  const detail = "the catalogue does not hold it any more";
  return { kind: "broken", release, breaks: [{ rule: "type-removed", pointer: "/type", detail }] };
}

function releaseOf(definition: EventDefinition, version: number): Release {
  const { type, topic, topics, partitionKey, futureBoundMs } = definition;
  // TypeBox keeps symbols and functions in its schemas; a release is plain JSON.
  const data: unknown = JSON.parse(JSON.stringify(definition.data));
  return { type, version, topic, ...(topics && { topics }), partitionKey, futureBoundMs, data };
}

const changed = (was: unknown, is: unknown): string => `it was ${was} and is ${is}`;
