import { expect, test } from "vitest";
import { topologyText } from "../../../cli/explain/text.ts";
import { topologyOf } from "../../../cli/explain/topology.ts";
import { paymentMade } from "../../../contracts/events/catalogue.ts";
import { count, events, pipeline, tumbling } from "../../../processors/engine/pipeline/dsl.ts";
import { enrichedTelemetry } from "../../../processors/pipelines/enriched-telemetry.ts";

test("a service that is asked: what limits the calls, and what becomes of an event without an answer", () => {
  const rows = (definition: Parameters<typeof topologyOf>[0]) => {
    const lines = topologyText(topologyOf(definition)).split("\n");
    const first = lines.findIndex((line) => line.includes(" asks "));
    return lines.slice(first, first + 5).map((line) => line.replace(" asks ", "").trim());
  };
  const asking = pipeline("payments")
    .from(events(paymentMade), { outOfOrderMs: 0 })
    .enrich({
      service: "shops",
      question: (payment) => payment.data.merchantId,
      ask: async () => "",
      combine: (payment) => payment,
      maxAttempts: 1,
    })
    .keyBy((payment) => payment.data.userId)
    .window(tumbling({ sizeMs: 1 }))
    .aggregate({ n: count() })
    .toResults();
  expect(rows(asking)).toEqual([
    "shops: 50 calls at once for each task, a question each, one attempt of 2 s",
    "as many calls a second as there are",
    "answers are not kept",
    "without an answer an event is dead",
    "events keep their order and wait for each other's answers",
  ]);
  expect(rows(enrichedTelemetry)).toEqual([
    "geolocation: 50 calls at once for each task, up to 50 questions each, 3 attempts of 2 s",
    "500 calls a second of all tasks together",
    "up to 50,000 answers are used again for 6 h",
    "optional: while it is away or more than 10,000 records wait, events go on degraded",
    "events keep their order and wait for each other's answers",
  ]);
});
