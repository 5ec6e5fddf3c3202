/** From an HTTP request to its body's text: base64, gzip, limits and UTF-8, in that order. */
import { gunzipSync } from "node:zlib";
import { maxBodyBytes } from "../../contracts/limits.ts";
import { makeProblem, RequestRefusedError } from "../../runtime/problem.ts";
import { ingestProblems } from "./problems.ts";

/** The parts of API Gateway's HTTP API request (payload format 2.0) that are read; header names in lower case. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
}

export interface Body {
  /** The inflated body's bytes: valid UTF-8. */
  readonly bytes: Buffer;
  readonly text: string;
}

/** A byte order mark is kept, so that the JSON parser refuses it: it would reach Kafka with the event otherwise. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the body. Throws {@link RequestRefusedError}: 400 empty or unreadable, 413 too large, 415 encoding. */
export function readBody(request: HttpRequest): Body {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding !== "gzip" && encoding !== "identity") throw unsupportedEncoding();
  const received = Buffer.from(request.body ?? "", request.isBase64Encoded ? "base64" : "utf8");
  if (received.length > maxBodyBytes) throw tooLarge("");
  const bytes = encoding === "gzip" && received.length > 0 ? gunzip(received) : received;
  const text = decode(bytes);
  if (text.trim() === "")
    throw refused("emptyBody", "The request has no body. Send one CloudEvent or a batch.");
  return { bytes, text };
}

/** Inflating stops at the limit, so a bomb costs no more than the largest body that is taken. */
function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(" after gunzip");
    throw refused("malformedBody", "The body is not valid gzip, though its Content-Encoding says so.");
  }
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refused("malformedBody", "The body is not valid UTF-8.");
  }
}

function tooLarge(when: string): RequestRefusedError {
  return refused(
    "bodyTooLarge",
    `The body exceeds ${maxBodyBytes} bytes${when}. Split it into several requests.`,
  );
}

/** RFC 9110, section 15.5.16: a refused encoding is answered with those that are taken. */
function unsupportedEncoding(): RequestRefusedError {
  const detail = "The Content-Encoding is not taken. Send gzip, or no encoding.";
  return new RequestRefusedError(makeProblem(ingestProblems.unsupportedEncoding, detail), {
    "accept-encoding": "gzip, identity",
  });
}

const refused = (type: keyof typeof ingestProblems, detail: string): RequestRefusedError =>
  new RequestRefusedError(makeProblem(ingestProblems[type], detail));
