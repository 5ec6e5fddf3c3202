import { flightDeparted } from "spillway/events";
import { count, events, HOUR_MS, MINUTE_MS, mean, pipeline, tumbling } from "spillway/pipeline";
import { cloudEvent, TestDriver } from "spillway/testing";
import { expect, test } from "vitest";

const delays = pipeline("delays")
  .from(events(flightDeparted), { outOfOrderMs: 10 * MINUTE_MS })
  .keyBy((flight) => flight.data.origin)
  .window(tumbling({ sizeMs: HOUR_MS }))
  .aggregate({ flights: count(), meanDelayMin: mean((flight) => flight.data.delayMin) })
  .toResults();

const departure = (id: string, timeMs: number, delayMin: number) => ({
  value: cloudEvent(flightDeparted, {
    id,
    timeMs,
    data: { origin: "JFK", destination: "LAX", delayMin, distanceMi: 2_475 },
  }),
});

test("an hour's flights are averaged, whatever crashes on the way", () => {
  const driver = new TestDriver(delays, { partitions: 4 });

  driver.feed(departure("a", 5 * MINUTE_MS, 10), departure("b", 50 * MINUTE_MS, 30));
  driver.checkpoint();
  driver.feed(departure("c", 45 * MINUTE_MS, 20), departure("b", 50 * MINUTE_MS, 30));
  driver.crash();
  driver.feed(departure("d", 75 * MINUTE_MS, 0), departure("e", 20 * MINUTE_MS, 99));

  expect(driver.results).toEqual([
    {
      kind: "result",
      pipeline: "delays",
      key: "JFK",
      window: { start: 0, end: HOUR_MS },
      value: { flights: 3, meanDelayMin: 20 },
      revision: 1,
    },
  ]);
  expect(driver.late.map(({ lateByMs }) => lateByMs)).toEqual([5 * MINUTE_MS]);
  expect(driver.counters).toMatchObject({ counted: 4, duplicate: 1, late: 1 });
});
