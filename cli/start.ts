/** `spillway start`: the whole platform on this machine, until Ctrl-C. */
import { once } from "node:events";
import { BATCH_MEDIA_TYPE, SPEC_VERSION } from "../contracts/cloudevent.ts";
import { flightDeparted } from "../contracts/events/catalogue.ts";
import { brokerCount, type Command, parseOptions } from "./command.ts";
import { type Platform, withPlatform } from "./platform/platform.ts";

const help = `Usage: spillway start [options]

Synthesizes the CDK app, runs it on this machine and prints its URLs. Ctrl-C stops everything.

  --brokers N   Kafka brokers to start, 1 or 3   (default 1)
  --help        this text`;

export const start: Command = {
  help,
  run: async (args, signal) => {
    const { brokers } = parseOptions(args, { brokers: { type: "string", default: "1" } });
    return withPlatform({ brokers: brokerCount(brokers), signal, log: console.log }, async (platform) => {
      console.log(welcome(platform));
      if (!platform.signal.aborted) await once(platform.signal, "abort");
      throw platform.signal.reason;
    });
  },
};

function welcome({ ingestUrl, queryUrl, control, bootstrapServers }: Platform): string {
  return `
Spillway is up. Ctrl-C stops it.

  events in    ${ingestUrl}/events
  results out  ${queryUrl}/results/{pipeline}/{key}
  Kafka        ${bootstrapServers}
  control      ${control.url}/state

Send two flights; the later one closes the earlier one's hour:

  curl -i ${ingestUrl}/events -H 'content-type: ${BATCH_MEDIA_TYPE}' -d '${JSON.stringify(sampleEvents())}'

Read that hour back, a few seconds later:

  curl '${queryUrl}/results/airport-delays/JFK'
`;
}

const HOUR_MS = 3_600_000;

/** Two valid events of the catalogue: the pipeline allows an hour of disorder, so two hours on, this hour is over. */
function sampleEvents() {
  const nowMs = Date.now();
  return [nowMs, nowMs + 2 * HOUR_MS].map((timeMs) => ({
    specversion: SPEC_VERSION,
    id: `JFK-LAX-${timeMs}`,
    source: "urn:spillway:curl",
    type: flightDeparted.type,
    time: new Date(timeMs).toISOString(),
    subject: "JFK",
    data: { origin: "JFK", destination: "LAX", delayMin: 12, distanceMi: 2475 },
  }));
}
