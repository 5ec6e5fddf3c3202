/** The spans of checkpoints: one a checkpoint that holds a record whose trace is recorded. */
import type { Tracing } from "../runtime/tracing.ts";
import type { TraceCheckpoint } from "./engine/worker/ports.ts";

export const checkpointSpans =
  (tracing: Tracing): TraceCheckpoint =>
  (task, traceparents) => {
    const span = tracing.continue(`checkpoint ${task.pipeline}`, traceparents);
    return (
      span && {
        traceparent: span.traceparent,
        committed: ({ checkpoint, counters, snapshotBytes }) => {
          const { counted, late, duplicate, dead, results } = counters;
          span.end({
            "spillway.stage": task.pipeline,
            "spillway.partition": task.partition,
            "spillway.checkpoint": checkpoint,
            "spillway.checkpoint.bytes": snapshotBytes,
            "spillway.events.counted": counted,
            "spillway.events.late": late,
            "spillway.events.duplicate": duplicate,
            "spillway.events.dead": dead,
            "spillway.results": results,
          });
        },
      }
    );
  };
