/** `spillway burst`: a flood, in the middle of which Kafka is away; every accepted event is counted once. */
import { type Command, parseOptions, wholeNumber } from "../command.ts";

const help = `Usage: spillway burst [options]

Runs the whole platform on this machine and sends it a base rate of events, 25 times that rate, and the base rate again.
While the flood lasts Kafka is away for a while. Checks that every accepted event is counted, late or dead exactly once,
and that whoever was refused was told so; prints latencies and what became of the events.

  --base N        events/s of the base rate                (default 400)
  --calm N        seconds of the base rate, before and after  (default 15)
  --flood N       seconds of the 25-fold rate              (default 90)
  --outage N      seconds without Kafka, 0 for none         (default 60)
  --batch N       events in a request                      (default 100)
  --svg FILE      a picture of it
  --json FILE     its figures
  --help          this text`;

export const burst: Command = {
  help,
  run: async (args, signal) => {
    const text = { type: "string" } as const;
    const options = parseOptions(args, {
      base: { ...text, default: "400" },
      calm: { ...text, default: "15" },
      flood: { ...text, default: "90" },
      outage: { ...text, default: "60" },
      batch: { ...text, default: "100" },
      svg: text,
      json: text,
    });
    const floodSeconds = wholeNumber("flood", options.flood, 1, 86_400);
    // Loaded only now: `--help` needs none of it.
    const { runBurst } = await import("./run.ts");
    return runBurst(
      {
        eventsPerSecond: wholeNumber("base", options.base, 1, 1_000_000),
        calmSeconds: wholeNumber("calm", options.calm, 1, 86_400),
        floodSeconds,
        outageSeconds: wholeNumber("outage", options.outage, 0, floodSeconds),
        eventsPerRequest: wholeNumber("batch", options.batch, 1, 1_000),
        svgFile: options.svg,
        jsonFile: options.json,
      },
      signal,
    );
  },
};
