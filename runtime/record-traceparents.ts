/** The trace contexts of the records that Lambda's Kafka mapping delivers. */
import type { MSKEvent } from "aws-lambda";
import { TRACEPARENT } from "../contracts/traceparent.ts";

/** One for each record that has one, as often as records have it; nothing is looked at until somebody asks. */
export function* traceparentsOf(event: MSKEvent): Generator<string> {
  for (const record of Object.values(event.records).flat()) {
    const header = record.headers.find((each) => TRACEPARENT in each);
    if (header) yield Buffer.from(header[TRACEPARENT]!).toString();
  }
}
