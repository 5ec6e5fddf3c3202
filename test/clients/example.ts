import { randomUUID } from "node:crypto";
import { Sender } from "spillway/sender";

const sender = new Sender({
  url: process.argv[2]!,
  onDelivered: (events) => console.log(`delivered ${events.length}`),
  onGivenUp: (event, { reason, ...more }) => console.error(`gave up ${event.id}: ${reason}`, more),
});

const startMs = Date.now() - 10_000 * 60_000;
for (let minute = 0; minute < 10_000; minute++) {
  // Waits when the sender holds as much as it may: so this loop is never faster than the platform.
  await sender.send({
    specversion: "1.0",
    id: randomUUID(),
    source: "/airlines/example",
    type: "flight.departed",
    time: new Date(startMs + minute * 60_000).toISOString(),
    partitionkey: "JFK",
    data: { origin: "JFK", destination: minute === 7 ? "nowhere" : "LAX", delayMin: 5, distanceMi: 2_475 },
  });
}
await sender.close(60_000);
