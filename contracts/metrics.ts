/** Metric names, by the stage that emits them. Dimensions are environment, pipeline and stage only. */

export const METRIC_NAMESPACE = "Spillway";

export const metrics = {
  ingest: {
    eventsAccepted: "EventsAccepted",
    eventsRefused: "EventsRefused",
    bytesAccepted: "BytesAccepted",
    produceMs: "ProduceMs",
    kafkaUnavailable: "KafkaUnavailable",
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
  query: { queries: "Queries", itemsRead: "ItemsRead" },
} as const;
