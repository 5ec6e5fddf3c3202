/** The ledger of a burst: what was answered, held against what is on the topic and what the tasks have counted. */

import { idOf } from "./events.ts";
import type { Answered } from "./load.ts";

export interface Tally {
  readonly counted: number;
  readonly late: number;
  readonly dead: number;
  readonly duplicate: number;
}

export interface BurstLedger {
  readonly accepted: number;
  readonly refused: number;
  readonly mismatches: readonly string[];
}

/** Examples are enough; a count says how many there are. */
const MAX_EXAMPLES = 20;

/**
 * Every accepted id is on the topic, and counted, late or dead exactly once; what was refused was told so, and when to
 * come again. What was answered 503, or not at all, may be on the topic, once; what was not answered is neither of the two.
 *
 * @param onTopic how many records hold each id
 */
export function checkLedger(
  answers: readonly Answered[],
  eventsPerRequest: number,
  onTopic: ReadonlyMap<string, number>,
  tally: Tally,
): BurstLedger {
  const mismatches: string[] = [];
  let accepted = 0;
  let refused = 0;
  for (const { batch, status, retryAfter, refused: refusedOfBatch } of answers) {
    if (status === 0) continue;
    if (status === 202) accepted += eventsPerRequest - refusedOfBatch;
    else refused += eventsPerRequest;
    refused += refusedOfBatch;
    const told = (status === 202 && refusedOfBatch === 0) || retryAfter;
    if (!told) mismatches.push(`batch ${batch} was answered ${status} without Retry-After`);
    // A batch is of one topic: it is refused for its load as a whole, or not at all.
    if (status !== 202 || refusedOfBatch > 0) continue;
    for (let index = 0; index < eventsPerRequest; index++) {
      const id = idOf(batch, index);
      if (!onTopic.has(id)) mismatches.push(`${id} was accepted, and is not on the topic`);
    }
  }
  const records = [...onTopic.values()].reduce((sum, count) => sum + count, 0);
  const once = tally.counted + tally.late + tally.dead;
  if (once !== onTopic.size) {
    mismatches.push(`the tasks count ${once} counted, late or dead events; there are ${onTopic.size} ids`);
  }
  if (tally.duplicate !== records - onTopic.size) {
    mismatches.push(`the tasks count ${tally.duplicate} duplicates; there are ${records - onTopic.size}`);
  }
  return { accepted, refused, mismatches: shortened(mismatches) };
}

function shortened(mismatches: readonly string[]): string[] {
  const more = mismatches.length - MAX_EXAMPLES;
  return [...mismatches.slice(0, MAX_EXAMPLES), ...(more > 0 ? [`and ${more} more`] : [])];
}
