/** One case, in this process: `node case.ts <name> <ms> <bootstrap servers> <bundle>`; its parent is told the figures. */
import { cases } from "./cases.ts";
import { EVENTS_PER_REQUEST } from "./requests.ts";

/** The compiler is done with what matters by then. */
const WARM_UP_REQUESTS = 400;

export interface Measured {
  readonly events: number;
  readonly cpuS: number;
  readonly wallS: number;
}

const [name, msText, bootstrapServers, bundle] = process.argv.slice(2);
const { prepare } = cases.find((each) => each.name === name)!;
const request = await prepare({ bootstrapServers: bootstrapServers!, bundle: bundle! });
for (let index = 0; index < WARM_UP_REQUESTS; index++) await request(index);

const cpu = process.cpuUsage();
const startMs = performance.now();
const endMs = startMs + Number(msText);
let count = 0;
// One request after the other, as an execution environment has them.
for (; performance.now() < endMs; count++) await request(count);
const { user, system } = process.cpuUsage(cpu);
const measured: Measured = {
  events: count * EVENTS_PER_REQUEST,
  cpuS: (user + system) / 1_000_000,
  wallS: (performance.now() - startMs) / 1_000,
};
process.send!(measured, () => process.exit(0));
