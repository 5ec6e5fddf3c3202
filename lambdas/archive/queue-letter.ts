/** Messages of the dead-letter queue: what Lambda and SQS themselves put there, and whatever else is sent to it. */
import type { SQSRecord } from "aws-lambda";
import type { Letter } from "./letter.ts";
import { onFailureLetter } from "./on-failure.ts";

/** What Lambda says of an event that it sends to a function's own dead-letter queue, as message attributes. */
const ERROR_ATTRIBUTES = ["ErrorCode", "ErrorMessage", "RequestID"] as const;
const UNKNOWN_STAGE = "unknown";

export function queueLetter(message: SQSRecord): Letter {
  const { body, messageId } = message;
  const sentMs = Number(message.attributes.SentTimestamp);
  const headers = Object.entries(message.messageAttributes).map(
    ([name, { stringValue, binaryValue }]) =>
      [
        name,
        stringValue === undefined ? Buffer.from(binaryValue ?? "", "base64") : Buffer.from(stringValue),
      ] as const,
  );
  const bytes = { key: null, value: Buffer.from(body), headers };
  const failure = onFailureLetter(body);
  if (failure !== undefined) {
    const atMs = Number.isFinite(failure.atMs) ? failure.atMs : sentMs;
    return { ...failure, identity: JSON.stringify(failure.source), atMs, bytes };
  }
  return { ...otherLetter(message), identity: messageId, atMs: sentMs, bytes };
}

/** A function's own queue holds the event as it was; a queue's redrive policy its message. */
function otherLetter({
  messageId,
  attributes,
  messageAttributes,
}: SQSRecord): Pick<Letter, "kind" | "reason" | "stage" | "source" | "detail"> {
  const requestId = messageAttributes.RequestID?.stringValue;
  if (requestId !== undefined && messageAttributes.ErrorCode !== undefined) {
    const given = ERROR_ATTRIBUTES.filter((name) => messageAttributes[name] !== undefined);
    return {
      kind: "invocation",
      reason: "invocation-failed",
      stage: UNKNOWN_STAGE,
      source: { kind: "request", requestId },
      detail: `Lambda gave an asynchronous call up; the headers ${given.join(", ")} say why.`,
    };
  }
  const queue = attributes.DeadLetterQueueSourceArn?.split(":").at(-1);
  return {
    kind: "message",
    reason: "unclassified",
    stage: queue ?? UNKNOWN_STAGE,
    source: { kind: "message", messageId },
    detail:
      queue === undefined ? "It is no record of a failure that is known here." : "Its queue gave it up.",
  };
}
