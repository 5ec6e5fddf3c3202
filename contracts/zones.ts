/** Availability zones: an account has names of its own for them (`us-east-1a`), and ids that are the same for everybody. */

export interface Zone {
  readonly name: string;
  /** As MSK says the rack of a broker: `use1-az1`. */
  readonly id: string;
}

/** As the text of an environment variable: `us-east-1a=use1-az1,us-east-1b=use1-az2`. */
export const formatZones = (zones: readonly Zone[]): string =>
  zones.map(({ name, id }) => `${name}=${id}`).join(",");

/** The id of the zone with that name; undefined where the text has none of it. */
export const zoneIdOf = (zones: string, name: string): string | undefined =>
  zones
    .split(",")
    .find((zone) => zone.startsWith(`${name}=`))
    ?.slice(name.length + 1);
