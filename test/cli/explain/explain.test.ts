import { expect, test } from "vitest";
import { duration } from "../../../cli/explain/duration.ts";
import { topologyText } from "../../../cli/explain/text.ts";
import { topologyOf } from "../../../cli/explain/topology.ts";
import { flightDeparted, paymentMade } from "../../../contracts/events/catalogue.ts";
import {
  count,
  DAY_MS,
  events,
  everyCount,
  everyEventTimeMs,
  global,
  HOUR_MS,
  hopping,
  keyedState,
  MINUTE_MS,
  max,
  onUpdate,
  pipeline,
  session,
  sliding,
  stream,
  Type,
  table,
  tumbling,
} from "../../../processors/engine/pipeline/dsl.ts";
import { airportDelays } from "../../../processors/pipelines/airport-delays.ts";

test("a pipeline of the catalogue", () => {
  expect(topologyText(topologyOf(airportDelays))).toMatchInlineSnapshot(`
    "pipeline airport-delays, service airport-delays
      tasks                   4: one a partition
      consumer group          <environment>-airport-delays
      transactional id        <environment>-airport-delays-<partition>
      checkpoint              <environment>/airport-delays/<partition>/<epoch>-<number>-<random>
      a task holds            at most 2,000,000 entries and 10,000,000 ids

    reads flights
      topic                   4 partitions, normal priority, kept 7 d
      key                     (flight) => flight.data.origin
      watermark               the largest event time less 1 h
      silence                 after 1 min the clock moves the watermark
      dedupe                  identities kept 1 h of event time; what is older is late

    keeps airport-delays
      kind                    fixed-windows
      window                  tumbling: 1 h
      lateness                none: a closed window takes no more events
      emits                   when the window closes
      panes                   accumulating
      aggregates              flights: count
                              meanDelayMin: mean
                              maxDelayMin: max
                              minDelayMin: min
                              delayed: count
      results                 flights: integer
                              meanDelayMin: number or null; negative when early
                              maxDelayMin: number or null; negative when early
                              minDelayMin: number or null; negative when early
                              delayed: integer; flights more than 15 minutes late
      kept                    until the watermark is 1 h past an event

    writes
      airport-delays.results  results, kept 7 d
      airport-delays.late     late events, kept 14 d
      dead-letters            dead letters, kept 14 d"
  `);
});

test("branches, each with windows of its own", () => {
  const branched = pipeline("payments", { service: "money" })
    .from(events(paymentMade), { outOfOrderMs: MINUTE_MS, idleTimeoutMs: null })
    .keyBy((payment) => payment.data.userId)
    .branch({
      sessions: (stream) =>
        stream
          .window(session({ gapMs: 30 * MINUTE_MS }), {
            allowedLatenessMs: HOUR_MS,
            emit: everyEventTimeMs(5 * MINUTE_MS),
            panes: "discarding",
          })
          .aggregate({ payments: count(), largest: max((payment) => payment.data.amountMinor) }),
      bursts: (stream) => stream.window(sliding({ sizeMs: MINUTE_MS })).aggregate({ payments: count() }),
      days: (stream) =>
        stream
          .window(hopping({ sizeMs: DAY_MS, advanceMs: HOUR_MS, offsetMs: 5 * MINUTE_MS }), {
            emit: onUpdate(),
          })
          .aggregate({ payments: count() }),
    })
    .toResults();

  expect(topologyText(topologyOf(branched))).toMatchInlineSnapshot(`
    "pipeline payments, service money
      tasks                      4: one a partition
      consumer group             <environment>-payments
      transactional id           <environment>-payments-<partition>
      checkpoint                 <environment>/payments/<partition>/<epoch>-<number>-<random>
      a task holds               at most 2,000,000 entries and 10,000,000 ids

    reads user-activity
      topic                      4 partitions, high priority, kept 7 d
      key                        (payment) => payment.data.userId
      watermark                  the largest event time less 1 min
      silence                    windows wait for the next event
      dedupe                     identities kept 1 d of event time; what is older is late

    keeps payments.sessions
      kind                       session-windows
      window                     session: ends after a gap of more than 30 min
      lateness                   a closed window takes events for 1 h more
      emits                      every 5 min of event time, where anything changed
      panes                      discarding
      aggregates                 payments: count
                                 largest: max
      kept                       until the watermark is 1 h 30 min past an event

    keeps payments.bursts
      kind                       sliding-windows
      window                     sliding: 1 min, both ends inclusive
      lateness                   none: a closed window takes no more events
      emits                      when the window closes
      panes                      accumulating
      aggregates                 payments: count
      kept                       until the watermark is 1 min 1 ms past an event

    keeps payments.days
      kind                       fixed-windows
      window                     hopping: 1 d, every 1 h, starts shifted by 5 min
      lateness                   none: a closed window takes no more events
      emits                      at every event
      panes                      accumulating
      aggregates                 payments: count
      kept                       until the watermark is 1 d past an event

    writes
      payments.sessions.results  results, kept 7 d
      payments.bursts.results    results, kept 7 d
      payments.days.results      results, kept 7 d
      payments.late              late events, kept 14 d
      dead-letters               dead letters, kept 14 d"
  `);
});

test("a new key makes a stage of its own", () => {
  const rekeyed = pipeline("arrivals")
    .from(events(flightDeparted), { outOfOrderMs: 0, dedupe: false })
    .rekeyBy("destination", (flight) => flight.data.destination, { partitions: 8 })
    .window(global({ trigger: everyCount(100) }))
    .aggregate({ flights: count() })
    .toResults();

  expect(topologyText(topologyOf(rekeyed))).toMatchInlineSnapshot(`
    "pipeline arrivals, service arrivals

    stage 1 of 2: arrivals.destination
      tasks                           4: one a partition
      consumer group                  <environment>-arrivals.destination
      transactional id                <environment>-arrivals.destination-<partition>
      checkpoint                      <environment>/arrivals.destination/<partition>/<epoch>-<number>-<random>
      a task holds                    at most 2,000,000 entries and 10,000,000 ids

    reads flights
      topic                           4 partitions, normal priority, kept 7 d
      key                             any
      watermark                       the largest event time less 0 ms
      silence                         after 1 min the clock moves the watermark
      dedupe                          none

    keeps arrivals.destination
      kind                            forward
      kept                            nothing

    writes
      arrivals.destination.forwarded  elements under their new key, kept 7 d
      arrivals.destination.late       late events, kept 14 d
      dead-letters                    dead letters, kept 14 d

    stage 2 of 2: arrivals
      tasks             8: one a partition
      consumer group    <environment>-arrivals
      transactional id  <environment>-arrivals-<partition>
      checkpoint        <environment>/arrivals/<partition>/<epoch>-<number>-<random>
      a task holds      at most 2,000,000 entries and 10,000,000 ids

    reads arrivals.destination.forwarded
      topic             8 partitions, kept 7 d
      key               (flight) => flight.data.destination
      watermark         of the stage before
      dedupe            none

    keeps arrivals
      kind              global-windows
      window            global: emitted at every 100 events of a key
      panes             accumulating
      aggregates        flights: count
      kept              for as long as the pipeline runs

    writes
      arrivals.results  results, kept 7 d
      arrivals.late     late events, kept 14 d
      dead-letters      dead letters, kept 14 d"
  `);
});

test("a spread key, a table, and state of the author's own", () => {
  const airports = table<{ city: string }>({ topic: "airports", decode: () => ({ city: "" }) });
  const flights = () =>
    pipeline("flights-of").from(events(flightDeparted), { outOfOrderMs: 0, dedupe: false });
  const spread = flights()
    .spreadBy("destination", (flight) => flight.data.destination)
    .window(tumbling({ sizeMs: HOUR_MS }))
    .aggregate({ flights: count() })
    .toResults();
  const processed = flights()
    .keyBy((flight) => flight.data.origin)
    .lookup(airports, (flight, airport) => ({ ...flight, city: airport?.city }))
    .process({ state: keyedState<number>({ ttlMs: DAY_MS }), onEvent: () => undefined })
    .toResults();

  expect(topologyText(topologyOf(spread)).split("\n\n")[3]).toMatchInlineSnapshot(`
    "keeps flights-of.destination
      kind                              partials
      window                            tumbling: 1 h
      lateness                          none: a closed window takes no more events
      aggregates                        flights: count
      kept                              until the watermark is 1 h past an event"
  `);
  expect(topologyText(topologyOf(processed)).split("\n\n").slice(1, 4).join("\n\n")).toMatchInlineSnapshot(`
    "reads flights
      topic               4 partitions, normal priority, kept 7 d
      key                 (flight) => flight.data.origin
      watermark           the largest event time less 0 ms
      silence             after 1 min the clock moves the watermark
      dedupe              none

    reads airports
      topic               not listed in contracts/topics.ts
      rows                the newest value of each Kafka key; events wait until all were read

    keeps flights-of
      kind                process
      ttl                 1 d
      state               json
      kept                until the watermark is 1 d past an event"
  `);
});

test("the fields of the results, of those branches that state them", () => {
  const branched = pipeline("constructor")
    .from(events(flightDeparted), { outOfOrderMs: 0, dedupe: false })
    .keyBy((flight) => flight.data.origin)
    .branch({
      main: (stream) => stream.window(tumbling({ sizeMs: HOUR_MS })).aggregate({ flights: count() }),
      stated: (stream) =>
        stream.process({
          results: Type.Object({
            kind: Type.Literal("seen"),
            delayMin: Type.Optional(Type.Integer({ description: "negative when early" })),
            tags: Type.Array(Type.Union([Type.String(), Type.Null()])),
            level: Type.Enum(["low", "high"]),
            further: Type.Unknown(),
          }),
          onEvent: () => undefined,
        }),
    })
    .toResults();
  const [stage] = topologyOf(branched).stages;

  expect(stage!.operators.map(({ results }) => results?.type)).toEqual([undefined, "object"]);
  const [, , unstated, stated] = topologyText(topologyOf(branched)).split("\n\n");
  expect(unstated).not.toContain("results");
  expect(stated).toMatchInlineSnapshot(`
    "keeps constructor.stated
      kind                        process
      state                       none
      results                     kind: "seen"
                                  delayMin: integer, may be missing; negative when early
                                  tags: list of (string or null)
                                  level: "low" or "high"
                                  further: any JSON
      kept                        for as long as the pipeline runs"
  `);
});

const meters = (topic: string) => ({
  topic,
  decode: () => ({ t: 0 }),
  time: ({ t }: { readonly t: number }) => t,
});

test("a topic that nothing lists", () => {
  const own = pipeline("meters")
    .from(meters("meters"), { outOfOrderMs: 0, dedupe: false })
    .keyBy(() => "all")
    .window(session({ gapMs: 1 }))
    .aggregate({ n: count() })
    .toResults();

  expect(topologyOf(own).stages[0]!.inputs).toMatchInlineSnapshot(`
    [
      {
        "compacted": false,
        "dedupeHorizonMs": null,
        "enrich": null,
        "idleTimeoutMs": 60000,
        "key": "() => "all"",
        "outOfOrderMs": 0,
        "partitions": null,
        "priority": null,
        "retentionMs": null,
        "role": "events",
        "topic": "meters",
      },
    ]
  `);
});

test("a topic between stages has as many partitions as a source that nothing lists", () => {
  const spread = pipeline("meters")
    .from(meters("meters"), { outOfOrderMs: 0, dedupe: false })
    .spreadBy("all", () => "all")
    .window(tumbling({ sizeMs: 1 }))
    .aggregate({ n: count() })
    .toResults();

  expect(topologyText(topologyOf(spread))).toMatch(
    /reads meters.all.forwarded\n +topic +as many partitions as the stage before reads, kept 7 d\n/,
  );
});

test("a join says of which kind it is", () => {
  const right = stream(meters("others"), { outOfOrderMs: 0, dedupe: false }).keyBy(() => "all");
  const joined = pipeline("meters")
    .from(meters("meters"), { outOfOrderMs: 0, dedupe: false })
    .keyBy(() => "all")
    .join(right, { kind: "left", beforeMs: 5, afterMs: 10, combine: () => ({}) })
    .toResults();

  expect(topologyText(topologyOf(joined)).split("\n\n")[3]).toMatchInlineSnapshot(`
    "keeps meters
      kind              left join
      before            5 ms
      after             10 ms
      kept              until the watermark is 11 ms past an event"
  `);
});

test("a correlation says what becomes of the incomplete", () => {
  const correlated = (onMissing?: "drop") =>
    pipeline("payments")
      .from(events(paymentMade), { outOfOrderMs: 0 })
      .keyBy((payment) => payment.data.userId)
      .correlate({
        withinMs: MINUTE_MS,
        all: { first: paymentMade, second: paymentMade },
        ...(onMissing && { onMissing }),
      })
      .toResults();
  const kept = (onMissing?: "drop") => topologyText(topologyOf(correlated(onMissing))).split("\n\n")[2];

  expect(kept("drop")).toMatchInlineSnapshot(`
    "keeps payments
      kind              correlate
      within            1 min
      parts             ["first","second"]
      onMissing         drop
      kept              until the watermark is 1 min past an event"
  `);
  expect(kept()).toMatch(/onMissing +output\n/);
});

test("a task's limits are those that the pipeline was given", () => {
  const limited = pipeline("limited", { maxEntriesPerTask: 1_000, maxIdsPerTask: 5_000_000 })
    .from(events(flightDeparted), { outOfOrderMs: 0 })
    .rekeyBy("destination", (flight) => flight.data.destination)
    .window(tumbling({ sizeMs: HOUR_MS }))
    .aggregate({ flights: count() })
    .toResults();

  const limits = topologyOf(limited).stages.map((stage) => [stage.maxEntriesPerTask, stage.maxIdsPerTask]);

  expect(limits).toEqual([
    [1_000, 5_000_000],
    [1_000, 5_000_000],
  ]);
  expect(topologyText(topologyOf(limited))).toMatch(
    /a task holds +at most 1,000 entries and 5,000,000 ids\n/,
  );
});

test.each([
  [0, "0 ms"],
  [1, "1 ms"],
  [90_000, "1 min 30 s"],
  [-HOUR_MS, "-1 h"],
  [DAY_MS + 1, "1 d 1 ms"],
])("%i is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
