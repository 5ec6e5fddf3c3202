/** The events of a record of a producer's stream: a CloudEvent as structured JSON, or a JSON array of them. */
import { BATCH_MEDIA_TYPE, STRUCTURED_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import { RequestRefusedError } from "../../runtime/problem.ts";
import { type ReceivedEvent, readEvents } from "./content-mode.ts";

const ARRAY_START = 0x5b;
/** The white space that JSON allows. */
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** The events of a record, unjudged, or why it holds none. `base64`: the same bytes, as the stream's mapping gives them. */
export function eventsOfRecord(bytes: Uint8Array, base64: string): readonly ReceivedEvent[] | string {
  const isBatch = bytes.find((byte) => !isSpace(byte)) === ARRAY_START;
  const headers = { "content-type": isBatch ? BATCH_MEDIA_TYPE : STRUCTURED_MEDIA_TYPE };
  try {
    return readEvents({ headers, body: base64, isBase64Encoded: true });
  } catch (error) {
    if (error instanceof RequestRefusedError) return error.problem.detail;
    throw error;
  }
}
