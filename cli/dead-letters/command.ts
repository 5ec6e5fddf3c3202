/** `spillway dead-letters`: what failed for good, and its way back. */
import { randomUUID } from "node:crypto";
import type { AgedOutAnswer, AgedOutRequest } from "../../contracts/aged-out.ts";
import type { RedriveAnswer, RedriveRequest, Selection } from "../../contracts/dead-letter-archive.ts";
import { forEachBounded } from "../../runtime/for-each-bounded.ts";
import { type Command, parseNamed, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { agedOutLines } from "./aged-out.ts";
import { ARCHIVE_HELP, type Archive, openArchive } from "./archive.ts";
import { isNarrowed, readSelection, requireNarrowed, SELECTION_HELP, selectionOptions } from "./options.ts";
import { countEntries, statsText } from "./stats.ts";
import { agedOutText, entryText, listLine, redriveText } from "./text.ts";

const DEFAULT_LIST = 50;
const DEFAULT_RATE_PER_SECOND = 100;
const MAX_RATE_PER_SECOND = 10_000;
const DEFAULT_MAX_FAILURE_PERCENT = 20;
const MAX_IN_FLIGHT = 32;
const DISCARD_CHUNK = 500;

const help = `Usage: spillway dead-letters <list|show|stats|redrive|discard> [options]

  list              prints entries, the newest first                             --limit N (default: ${DEFAULT_LIST})
  show <id>         prints one entry with its bytes
  stats             counts entries by state, reason, pipeline and type, and what streams gave up for its age
  redrive           sends events back to their topics, if the door's rules of today take them; without --execute it
                    only says what would happen
  discard           marks entries as not to be redriven; without --execute it only counts them

Which entries:
${SELECTION_HELP}

redrive and discard:
  --execute         do it
  --limit N         at most so many entries

redrive:
  --rate N          events a second   (default: ${DEFAULT_RATE_PER_SECOND})
  --aged-out        in place of entries: the batches of streams that were too old, oldest first of each shard; --limit
                    counts batches
  --max-failures P  stop once more than P percent of the events failed   (default: ${DEFAULT_MAX_FAILURE_PERCENT})

${ARCHIVE_HELP}
  --help            this text

A redrive that stopped by itself exits with 1.`;

type Action = (args: readonly string[], signal: AbortSignal) => Promise<number>;

const limitOption = { limit: { type: "string" } } as const;
const executeOption = { execute: { type: "boolean", default: false } } as const;

const actions: Readonly<Record<string, Action>> = {
  async list(args, signal) {
    const values = parseOptions(args, { ...selectionOptions, ...limitOption });
    const limit = limitOf(values.limit) ?? DEFAULT_LIST;
    const selection = readSelection(values);
    const { index, agedOut, agedOutBuckets } = await openArchive(values.control);
    let listed = 0;
    for await (const entry of index.entries(selection, "newest first", Date.now())) {
      signal.throwIfAborted();
      if (listed === limit) {
        console.log(`there are more than ${limit}: narrow them down, or say --limit`);
        break;
      }
      console.log(listLine(entry));
      listed += 1;
    }
    if (listed === 0) console.log("there are no such entries");
    if (!isNarrowed(selection)) print(await agedOutLines(agedOut, agedOutBuckets));
    return 0;
  },

  async show(args) {
    const { values, named } = parseNamed(args, { control: { type: "string" } });
    if (named === undefined) throw new UsageError("say which entry, by its id");
    const { index, objects } = await openArchive(values.control);
    const entry = await index.get(named);
    if (entry === undefined) throw new UsageError(`there is no entry ${named}`);
    console.log(entryText(entry, await objects.get(named)));
    return 0;
  },

  async stats(args) {
    const { state: _, ...options } = selectionOptions;
    const values = parseOptions(args, options);
    const { state: __, ...selection } = readSelection(values);
    const { index, agedOut, agedOutBuckets } = await openArchive(values.control);
    console.log(statsText(await countEntries(index, selection, Date.now())));
    print(await agedOutLines(agedOut, agedOutBuckets));
    return 0;
  },

  async redrive(args, signal) {
    const values = parseOptions(args, {
      ...selectionOptions,
      ...limitOption,
      ...executeOption,
      rate: { type: "string", default: String(DEFAULT_RATE_PER_SECOND) },
      "aged-out": { type: "boolean", default: false },
      "max-failures": { type: "string", default: String(DEFAULT_MAX_FAILURE_PERCENT) },
    });
    const ratePerSecond = wholeNumber("rate", values.rate, 1, MAX_RATE_PER_SECOND);
    const maxEntries = limitOf(values.limit);
    const selection = readSelection(values);
    if (values["aged-out"]) {
      if (isNarrowed(selection)) throw new UsageError("--aged-out takes no selection of entries");
      const request = {
        agedOut: true,
        execute: values.execute,
        eventsPerSecond: ratePerSecond,
        ...(maxEntries !== undefined && { maxObjects: maxEntries }),
      } as const;
      const answer = await redriveAllAgedOut(await openArchive(values.control), request, signal);
      console.log(agedOutText(answer, values.execute));
      return answer.end === "stopped" ? 1 : 0;
    }
    requireNarrowed(selection);
    const request: RedriveRequest = {
      redriveId: randomUUID(),
      execute: values.execute,
      selection,
      ratePerSecond,
      maxFailureShare: wholeNumber("max-failures", values["max-failures"], 0, 100) / 100,
      ...(maxEntries !== undefined && { maxEntries }),
    };
    const answer = await redriveAll(await openArchive(values.control), request, signal);
    console.log(redriveText(answer));
    if (values.execute) console.log(`redrive ${request.redriveId}`);
    return answer.end === "stopped" ? 1 : 0;
  },

  async discard(args, signal) {
    const values = parseOptions(args, { ...selectionOptions, ...limitOption, ...executeOption });
    const selection = readSelection(values);
    requireNarrowed(selection);
    const limit = limitOf(values.limit) ?? Number.POSITIVE_INFINITY;
    const archive = await openArchive(values.control);
    const { selected, discarded } = await discardAll(archive, selection, limit, values.execute, signal);
    console.log(
      values.execute
        ? `${discarded} of ${selected} entries are discarded`
        : `${selected} entries would be discarded; --execute does it`,
    );
    return 0;
  },
};

export const deadLetters: Command = {
  help,
  run: async ([name, ...args], signal) => {
    const action = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new UsageError(`say one of ${Object.keys(actions).join(", ")}`);
    return action(args, signal);
  },
};

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

const limitOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : wholeNumber("limit", text, 1, Number.MAX_SAFE_INTEGER);

/** Calls the function until it has come to an end, as no call takes longer than a minute or two. */
async function redriveAll(
  archive: Archive,
  request: RedriveRequest,
  signal: AbortSignal,
): Promise<RedriveAnswer> {
  let answer = await archive.redrive(request);
  while (answer.end === "more") {
    signal.throwIfAborted();
    answer = await archive.redrive({ ...request, progress: answer.progress });
  }
  return answer;
}

async function redriveAllAgedOut(
  archive: Archive,
  request: AgedOutRequest,
  signal: AbortSignal,
): Promise<AgedOutAnswer> {
  let answer = await archive.redriveAgedOut(request);
  while (answer.end === "more") {
    signal.throwIfAborted();
    answer = await archive.redriveAgedOut({ ...request, progress: answer.progress });
  }
  return answer;
}

async function discardAll(
  { index }: Archive,
  selection: Selection,
  limit: number,
  execute: boolean,
  signal: AbortSignal,
): Promise<{ readonly selected: number; readonly discarded: number }> {
  let selected = 0;
  let discarded = 0;
  const chunk: Parameters<typeof index.discard>[0][] = [];
  const discardChunk = () =>
    forEachBounded(chunk.splice(0), MAX_IN_FLIGHT, async (entry) => {
      if (await index.discard(entry, Date.now())) discarded += 1;
    });
  for await (const entry of index.entries(selection, "oldest first", Date.now())) {
    signal.throwIfAborted();
    if (selected === limit) break;
    selected += 1;
    if (!execute) continue;
    chunk.push(entry);
    if (chunk.length === DISCARD_CHUNK) await discardChunk();
  }
  await discardChunk();
  return { selected, discarded };
}
