/**
 * How a group shares its partitions. Balanced to within one, and nothing moves that need not: a member keeps what it
 * had, and one that joins takes only its share.
 */

/** What a member tells of itself when it joins. */
export interface Claim {
  readonly memberId: string;
  /** The last group generation in which it was seen to own `partitions`; 0 for none. */
  readonly generation: number;
  readonly partitions: readonly number[];
}

/**
 * Shares partitions 0 to `partitionCount` − 1 among the members. Deterministic: the order of `claims` does not
 * matter. Where two members claim a partition, the newer generation has it, then the smaller member id.
 */
export function share(partitionCount: number, claims: readonly Claim[]): Map<string, number[]> {
  const held = heldPartitions(partitionCount, claims);
  const byHoldings = [...held].sort(
    ([id, some], [otherId, others]) => others.length - some.length || compare(id, otherId),
  );
  const quota = Math.floor(partitionCount / held.size);
  const withOneMore = partitionCount % held.size;
  const kept = new Map<string, number[]>();
  const rooms: { memberId: string; room: number }[] = [];
  for (const [index, [memberId, partitions]] of byHoldings.entries()) {
    const limit = quota + (index < withOneMore ? 1 : 0);
    kept.set(memberId, partitions.slice(0, limit));
    rooms.push({ memberId, room: limit - Math.min(limit, partitions.length) });
  }
  giveOut(partitionCount, kept, rooms);
  return kept;
}

/** Each member's partitions of before, ascending, every partition with at most one member. */
function heldPartitions(partitionCount: number, claims: readonly Claim[]): Map<string, number[]> {
  const newestFirst = [...claims].sort(
    (a, b) => b.generation - a.generation || compare(a.memberId, b.memberId),
  );
  const taken = new Set<number>();
  const held = new Map<string, number[]>();
  for (const { memberId, partitions } of newestFirst) {
    const own: number[] = [];
    for (const partition of [...partitions].sort((a, b) => a - b)) {
      if (partition >= partitionCount || taken.has(partition)) continue;
      taken.add(partition);
      own.push(partition);
    }
    held.set(memberId, own);
  }
  return held;
}

/** Gives the partitions nobody keeps to whoever has the most room, so that a joining member fills up first. */
function giveOut(
  partitionCount: number,
  kept: Map<string, number[]>,
  rooms: { memberId: string; room: number }[],
): void {
  const taken = new Set([...kept.values()].flat());
  for (let partition = 0; partition < partitionCount; partition++) {
    if (taken.has(partition)) continue;
    const roomiest = rooms.reduce((best, candidate) => (candidate.room > best.room ? candidate : best));
    kept.get(roomiest.memberId)!.push(partition);
    roomiest.room -= 1;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
