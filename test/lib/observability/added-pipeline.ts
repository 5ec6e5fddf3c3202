/** What somebody who forks the platform adds: a pipeline with a stage upstream. */
export const added = {
  name: "added",
  service: "added",
  inputs: [{ topic: "added.by-place.forwarded", role: "forwarded" }],
  operators: [{ series: "added" }],
  upstream: [
    {
      name: "added.by-place",
      service: "added",
      inputs: [{ topic: "clickstream" }],
      operators: [],
      maxBacklogRecordsPerTask: 500,
      forwards: { topic: "added.by-place.forwarded", partitions: 2 },
    },
  ],
} as const;
