/** Metric names, by the stage that emits them. Dimensions are environment, pipeline and stage only. */

export const METRIC_NAMESPACE = "Spillway";

export const metrics = {
  ingest: {
    eventsAccepted: "EventsAccepted",
    eventsRefused: "EventsRefused",
    bytesAccepted: "BytesAccepted",
    produceMs: "ProduceMs",
    kafkaUnavailable: "KafkaUnavailable",
    /** Accepted, and stored in the spillway for now. */
    eventsSpilled: "EventsSpilled",
    /** Refused for the load of what they go to. */
    eventsOverloaded: "EventsOverloaded",
    /** Requests of producers that send more than they may. */
    requestsLimited: "RequestsLimited",
    breakerTrips: "BreakerTrips",
    /** The events were stored nowhere; the request was answered 503. */
    unavailable: "IngestUnavailable",
    signalsUnread: "SignalsUnread",
  },
  forward: {
    eventsForwarded: "EventsForwarded",
    eventsDead: "ForwardEventsDead",
    /** Batches, or their rest, that go back to the stream: Kafka or a pipeline is not ready for them. */
    batchesPostponed: "BatchesPostponed",
    /** From an event's arrival to its being in Kafka. */
    spilledMs: "SpilledMs",
  },
  flowControl: {
    mappingsPaused: "MappingsPaused",
    /** Mappings whose change is under way, by this or by anybody. */
    mappingsChanging: "MappingsChanging",
    /** Highest load of the topics that mappings feed; absent while no stage speaks. */
    highestLoad: "HighestLoad",
    /** Age of the oldest record that may wait behind a paused mapping; 0 while none is paused. */
    pausedAgeMs: "PausedAgeMs",
    /** Requests to the control table or the signals table that failed; where one was not read, mappings are resumed. */
    tableFailures: "FlowControlTableFailures",
  },
  processor: {
    recordsProcessed: "RecordsProcessed",
    eventsLate: "EventsLate",
    eventsDuplicate: "EventsDuplicate",
    eventsDead: "EventsDead",
    resultsWritten: "ResultsWritten",
    checkpointMs: "CheckpointMs",
    checkpointBytes: "CheckpointBytes",
    checkpointFailures: "CheckpointFailures",
    stateEntries: "StateEntries",
    /** Of the limit that is nearer (entries, ids); at 100 events go to the dead letters as `state-full`. */
    stateLimitPercent: "StateLimitPercent",
    recoveryMs: "RecoveryMs",
    tasksRunning: "TasksRunning",
    tasksParked: "TasksParked",
    /** Of each task: records in its topics that it has not processed. */
    backlogRecords: "BacklogRecords",
    /** Of each task: how long that takes it, at the pace of late. */
    backlogSeconds: "BacklogSeconds",
    /** Of each task that has a backlog: how long ago the record arrived that it processed last. */
    lagMs: "LagMs",
    /** From a record's arrival in its topic to the commit of what it did. */
    latencyMs: "LatencyMs",
    /** Of each task: what share of the time it applied records or fired windows. */
    busyPercent: "BusyPercent",
    /** Of each task: how far its watermark is behind the clock. */
    watermarkDelayMs: "WatermarkDelayMs",
    /** Of each task that has something to commit: how old its last checkpoint is. */
    checkpointAgeMs: "CheckpointAgeMs",
    /** Processes that ended because something was thrown that nobody expected. */
    crashes: "ProcessorCrashes",
  },
  sink: {
    resultsStored: "ResultsStored",
    resultsSuperseded: "ResultsSuperseded",
    resultsRefused: "ResultsRefused",
    /** From a result's being in its topic to its being in the table; of each batch the oldest. */
    storedMs: "StoredMs",
    /** Put on the event bus. */
    noticesPut: "NoticesPut",
    /** Not put, as they had been: their records were delivered again. */
    noticesRepeated: "NoticesRepeated",
  },
  webhook: {
    deliveriesTried: "DeliveriesTried",
    noticesDelivered: "NoticesDelivered",
  },
  archive: {
    entriesArchived: "EntriesArchived",
    entriesRepeated: "EntriesRepeated",
    messagesFailed: "MessagesFailed",
  },
  redrive: {
    eventsRedriven: "EventsRedriven",
    eventsKept: "EventsKept",
    redrivesStopped: "RedrivesStopped",
  },
  /** Of every stage that records traces. */
  traces: {
    /** Recorded, and not taken by where they go; absent while all are. */
    spansLost: "SpansLost",
  },
  query: { queries: "Queries", itemsRead: "ItemsRead" },
} as const;

type Stages = typeof metrics;
export type MetricName = { [Stage in keyof Stages]: Stages[Stage][keyof Stages[Stage]] }[keyof Stages];
