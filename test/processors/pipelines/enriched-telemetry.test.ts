import { expect, test } from "vitest";
import { deviceTelemetry } from "../../../cli/generate/device-telemetry.ts";
import { type DataOf, telemetryReported } from "../../../contracts/events/catalogue.ts";
import { TestDriver } from "../../../processors/engine/testing/test-driver.ts";
import { enrichedTelemetry } from "../../../processors/pipelines/enriched-telemetry.ts";
import { generated } from "./generated.ts";

interface Reading {
  readonly id: string;
  readonly time: string;
  readonly data: DataOf<typeof telemetryReported>;
}

const BATCH = 50;
/** Later than any of the events. */
const ARRIVAL_MS = Date.UTC(2030, 0, 1);

/** What the service says, where it is asked. */
const countryOf = (ip: string): string => (Number(ip.split(".")[3]) % 2 === 0 ? "DE" : "FR");

/** What each device's minute must be, by readings that are known. */
function minutesOf(readings: readonly Reading[], isDegraded: (ip: string) => boolean): Map<string, object> {
  const minutes = Map.groupBy(readings, ({ data, time }) => {
    return `${data.deviceId} ${Math.floor(Date.parse(time) / 60_000) * 60_000}`;
  });
  const rows = new Map<string, object>();
  for (const [minute, unsorted] of minutes) {
    const ofMinute = unsorted.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
    const { ip } = ofMinute.at(-1)!.data;
    rows.set(minute, {
      readings: ofMinute.length,
      maxTemperatureC: Math.max(...ofMinute.map(({ data }) => data.temperatureC)),
      minBatteryShare: Math.min(...ofMinute.map(({ data }) => data.batteryShare)),
      country: isDegraded(ip) ? null : countryOf(ip),
      degraded: ofMinute.filter(({ data }) => isDegraded(data.ip)).length,
    });
  }
  return rows;
}

test.each([1, 2])(
  "minutes of generated devices with seed %i, some of whose places nobody was asked for",
  (seed) => {
    const { arrivals } = generated(deviceTelemetry(), telemetryReported.topic, seed);
    const isDegraded = (ip: string) => ip.endsWith("7");
    const readings = arrivals.flatMap(({ value }) =>
      value === null ? [] : [JSON.parse(value as string) as Reading],
    );
    const driver = new TestDriver(enrichedTelemetry, { partitions: 2 });
    for (let first = 0; first < readings.length; first += BATCH) {
      const batch = readings.slice(first, first + BATCH);
      driver.feed(...batch.map((value) => ({ value, key: value.data.deviceId, arrivalMs: ARRIVAL_MS })));
      for (let [ip] = driver.questions; ip !== undefined; [ip] = driver.questions) {
        if (isDegraded(ip)) driver.skip(ip);
        else driver.answer(ip, { country: countryOf(ip), city: "" });
      }
      if (first % 2_000 === 0) driver.checkpoint();
      if (first % 3_500 === 0) driver.crash();
    }
    driver.flush();

    const lateIds = new Set(driver.late.map(({ value }) => (JSON.parse(value!) as Reading).id));
    const counted = new Map(
      readings.filter(({ id }) => !lateIds.has(id)).map((reading) => [reading.id, reading]),
    );
    const rows = driver.results.map(({ key, window, value }) => {
      const { meanTemperatureC, ...rest } = value as Record<string, unknown>;
      expect(meanTemperatureC).toBeLessThanOrEqual(rest.maxTemperatureC as number);
      return [`${key} ${window!.start}`, rest] as const;
    });
    expect(new Map(rows)).toEqual(minutesOf([...counted.values()], isDegraded));
    expect(driver.dead).toEqual([]);
    expect(rows.some(([, { degraded }]) => degraded !== 0)).toBe(true);
    expect(driver.counters.duplicate).toBeGreaterThan(0);
  },
);
