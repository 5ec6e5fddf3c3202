/** What no template says and the sum needs. Each is printed with it; change one here and docs/costs.md follows. */

export interface Assumption {
  readonly value: number;
  /** A sentence, whose `#` stands for the value. */
  readonly text: string;
}

export const assumptions = {
  hoursPerMonth: { value: 730, text: "A month has # hours, and the load is the same in each of them." },
  readersPerEvent: { value: 1.25, text: "An event is read by # stages of pipelines." },
  resultsPerEvent: { value: 0.02, text: "An event makes # results; a result is an item of up to 1 KB." },
  resultRetentionDays: { value: 30, text: "Results stay in their table for # days." },
  queriesPerEvent: {
    value: 0.01,
    text: "Results are asked for # times an event; through the CDN, where there is one.",
  },
  answerKb: { value: 2, text: "An answer, of the door or with results, has # KB." },
  zoneCrossings: {
    value: 2 / 3,
    text: "With three zones, # of what a client sends to Kafka crosses zones, and of what it reads where it does not read in its own; copies among brokers are free.",
  },
  recordsPerVcpuSecond: {
    value: 10_000,
    text: "A vCPU processes # records/s; more tasks are added as a load needs them.",
  },
  deltaBytesPerRecord: {
    value: 150,
    text: "A record adds # bytes to its checkpoint. Up to 4 KiB a part goes to DynamoDB, more to S3 in one PUT each for state and outputs.",
  },
  stateGbPerTask: { value: 0.5, text: "A task under load has # GB of checkpoints in S3." },
  signalSeconds: { value: 5, text: "Each task with events says every # s how loaded it is." },
  idleSignalSeconds: { value: 20, text: "Each task without events says every # s that it is idle." },
  signalBytes: {
    value: 150,
    text: "Such a signal has # bytes; the door scans them all every 2 s in each environment that is busy.",
  },
  sinkMsPerResult: { value: 1, text: "The sink takes # ms a result beside 20 ms an invocation." },
  logBytesPerRequest: {
    value: 1_500,
    text: "A request leaves # bytes of logs: access log, metrics, Lambda's own lines.",
  },
  logBytesPerStageInterval: {
    value: 3_000,
    text: "A stage writes # bytes of metrics every 10 s in each process, idle or not.",
  },
  brokerLogGb: { value: 0.5, text: "A broker writes # GB of logs a month." },
  flowLogGb: {
    value: 10,
    text: "Flow logs, where they are on, have # GB a month: a line for each connection and ten minutes, whatever it carries.",
  },
  natIdleGb: {
    value: 10,
    text: "# GB a month go through NAT at rest: images, logs, tokens; a gateway is paid for them, an instance is not.",
  },
  imageGb: { value: 0.3, text: "The processors' image has # GB, and three of them are kept." },
  noticesPerResult: { value: 0, text: "# of the results are sent as notices: a pipeline has to ask for it." },
} as const satisfies Readonly<Record<string, Assumption>>;

export const assumed = (name: keyof typeof assumptions): number => assumptions[name].value;

/** Each as a sentence. */
export const assumptionTexts = (): string[] =>
  Object.values(assumptions).map(({ value, text }) => text.replace("#", () => shown(value)));

const shown = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
