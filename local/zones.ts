/**
 * Availability zones on this machine, which is one: brokers, and the processes of a service, are spread over them by their
 * numbers, so that whoever reads from a replica in its own zone does so here too.
 */
const LETTERS = ["a", "b", "c"] as const;

export const zoneNames = (region: string): readonly string[] => LETTERS.map((letter) => region + letter);

/** Of whatever has this number, from 0. MSK calls its brokers' racks so. */
export const zoneId = (index: number): string => `local-az${(index % LETTERS.length) + 1}`;

export const zoneIdOfName = (name: string): string =>
  zoneId(LETTERS.findIndex((letter) => name.endsWith(letter)));

/**
 * What ECS gives a task to find out about itself: a URL that `/task` is added to. In a data URL that is a fragment, so that
 * no server is needed.
 */
export function taskMetadata(region: string, index: number): Readonly<Record<string, string>> {
  const task = { AvailabilityZone: zoneNames(region)[index % LETTERS.length] };
  const url = `data:application/json,${encodeURIComponent(JSON.stringify(task))}#`;
  return { ECS_CONTAINER_METADATA_URI_V4: url };
}
