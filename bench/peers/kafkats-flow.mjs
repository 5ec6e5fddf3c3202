/**
 * Number, sum and largest amount of each key and window with @kafkats/flow, until SIGTERM:
 * `node kafkats-flow.mjs <options as JSON>`, see bench/streams/engines.ts. It has no emission on close, so that the last
 * result of a window counts, and takes a record's timestamp for its event time.
 */
import { KafkaClient } from "@kafkats/client";
import { flow, json, SessionWindows, string, TimeWindows } from "@kafkats/flow";

const { bootstrapServers, applicationId, topic, results, commitIntervalMs, window } = JSON.parse(
  process.argv[2],
);
const client = new KafkaClient({ brokers: [bootstrapServers], clientId: applicationId });
const app = flow({
  applicationId,
  client,
  processingGuarantee: "exactly_once",
  commitIntervalMs,
  consumer: { autoOffsetReset: "earliest" },
  changelog: { replicationFactor: 1 },
});
const gapMs = window.kind === "session" ? window.gapMs : 0;
app
  .stream(topic, { key: string(), value: json(), offsetReset: "earliest" })
  .groupByKey({ key: string(), value: json() })
  .windowedBy(windows())
  .aggregate(
    () => ({ count: 0, sum: 0, max: Number.MIN_SAFE_INTEGER }),
    (_, { amount }, { count, sum, max }) => ({
      count: count + 1,
      sum: sum + amount,
      max: Math.max(max, amount),
    }),
    { storeName: "totals", value: json() },
  )
  .toStream()
  .map(({ key, window: { start, end } }, totals) => [key, { key, start, end: end + gapMs, ...totals }])
  .to(results, { key: string(), value: json() });
process.once("SIGTERM", async () => {
  await app.close();
  process.exit(0);
});
await app.start();

function windows() {
  if (window.kind === "session") return SessionWindows.withInactivityGap(window.gapMs);
  const tumbling = TimeWindows.of(window.sizeMs);
  return window.kind === "hopping" ? tumbling.advanceBy(window.advanceMs) : tumbling;
}
