/**
 * CloudEvents 1.0.2's rules for an event's attributes, and Spillway's own: `time` is required. That it is a date-time
 * is judged with its bound (judge.ts), so that it is parsed once.
 */
import { SPEC_VERSION } from "../../contracts/cloudevent.ts";
import { isUtf8, parseMediaType } from "./media-type.ts";
import type { ingestProblems } from "./problems.ts";

/** An event whose attributes hold; its data is not judged yet. */
export interface Envelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject?: string | null;
  readonly partitionkey?: string | null;
  readonly priority?: unknown;
  readonly data?: unknown;
}

/** A failed rule, and where: the field is a JSON pointer into the event. */
export interface Fault {
  readonly problem: keyof typeof ingestProblems;
  readonly field: string;
  readonly detail: string;
}

const REQUIRED = ["id", "source", "type", "time"] as const;
const ATTRIBUTE_NAME = /^[a-z0-9]+$/;
/** What the type String excludes: control characters, noncharacters; lone surrogates are checked beside it. */
const DISALLOWED = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const MAX_INTEGER = 2 ** 31 - 1;

/** The first rule that the event's attributes break; undefined where it is an {@link Envelope}. */
export function envelopeFault(event: unknown): Fault | undefined {
  if (!isRecord(event)) return fault("", "An event must be a JSON object.");
  if (event.specversion !== SPEC_VERSION) {
    return fault("/specversion", `specversion must be the string "${SPEC_VERSION}".`);
  }
  for (const name of REQUIRED) {
    if (typeof event[name] !== "string" || event[name] === "") {
      return fault(`/${name}`, `${name} is required, as a string that is not empty.`);
    }
  }
  for (const name in event) {
    if (name === "data") continue;
    const found = attributeFault(name, event[name]);
    if (found !== undefined) return found;
  }
  return contentTypeFault(event.datacontenttype);
}

function attributeFault(name: string, value: unknown): Fault | undefined {
  if (name === "data_base64") {
    return {
      problem: "unsupportedDataType",
      field: "/data_base64",
      detail: "Binary data is not taken. Send JSON in data.",
    };
  }
  if (!ATTRIBUTE_NAME.test(name)) {
    return fault(jsonPointer(name), "An attribute's name must consist of the letters a to z and digits.");
  }
  if (typeof value === "string") {
    if (DISALLOWED.test(value) || !value.isWellFormed()) {
      return fault(
        jsonPointer(name),
        "An attribute must not hold control characters, noncharacters or lone surrogates.",
      );
    }
    return undefined;
  }
  // The JSON format reads null as absent; no further attribute of the specification has another type.
  if (value === null || typeof value === "boolean" || isCloudEventsInteger(value)) {
    return isStringAttribute(name) && value !== null
      ? fault(jsonPointer(name), `${name} must be a string.`)
      : undefined;
  }
  return fault(jsonPointer(name), "An attribute must be a string, a boolean or a 32-bit integer.");
}

const isStringAttribute = (name: string): boolean =>
  name === "subject" || name === "partitionkey" || name === "datacontenttype" || name === "dataschema";

const isCloudEventsInteger = (value: unknown): boolean =>
  Number.isInteger(value) && Math.abs(value as number) <= MAX_INTEGER;

function contentTypeFault(value: unknown): Fault | undefined {
  if (value === undefined || value === null || value === "application/json") return undefined;
  const mediaType = parseMediaType(value as string);
  if (mediaType.essence === "application/json" && isUtf8(mediaType)) return undefined;
  const detail = "datacontenttype must be application/json, or absent.";
  return { problem: "unsupportedDataType", field: "/datacontenttype", detail };
}

/** Names are the sender's, and echoed: this bounds the answer to a request that is full of long ones. */
const MAX_ECHOED_NAME_LENGTH = 128;

/** RFC 6901: `~` and `/` are escaped. A name that is too long to echo is cut. */
const jsonPointer = (name: string): string =>
  `/${name.slice(0, MAX_ECHOED_NAME_LENGTH).replaceAll("~", "~0").replaceAll("/", "~1")}`;

const fault = (field: string, detail: string): Fault => ({ problem: "invalidEnvelope", field, detail });

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
