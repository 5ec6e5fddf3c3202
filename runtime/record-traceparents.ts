/** The trace contexts of the records that Lambda's Kafka mapping delivers. */
import type { MSKEvent } from "aws-lambda";
import { TRACEPARENT } from "../contracts/traceparent.ts";

/** One for each record that has one, in no order; repeated as often as records have it. */
export function* traceparentsOf({ records }: MSKEvent): Generator<string> {
  for (const record of Object.values(records).flat()) {
    const header = record.headers.find((each) => TRACEPARENT in each);
    if (header) yield Buffer.from(header[TRACEPARENT]!).toString();
  }
}
