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
    backlogRecords: "BacklogRecords",
  },
  sink: {
    resultsStored: "ResultsStored",
    resultsSuperseded: "ResultsSuperseded",
    resultsRefused: "ResultsRefused",
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
  query: { queries: "Queries", itemsRead: "ItemsRead" },
} as const;
