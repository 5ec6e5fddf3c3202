/** Delivers one notice to the webhook's URL, signed, with a few attempts. */
import { setTimeout as sleep } from "node:timers/promises";
import { STRUCTURED_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import type { Notice } from "../../contracts/notices.ts";
import { fullJitterMs } from "../../flow/backoff.ts";
import { WebhookRefusedError } from "../../runtime/errors.ts";
import { signatureOf } from "./signature.ts";

/** Lambda calls the function twice more, a minute and two minutes later: nine attempts in all. */
export const ATTEMPTS = 3;
export const ATTEMPT_TIMEOUT_MS = 5_000;
const BACKOFF = { baseMs: 500, maxMs: 2_000 };

export interface Delivery {
  readonly url: string;
  /** The current one first. */
  readonly secrets: readonly string[];
}

/**
 * Resolves once the receiver has answered 2xx. Redirects are not followed: they would lead a signed body to another
 * place than the one that was configured. Rejects with {@link WebhookRefusedError}, which holds nothing of an answer.
 */
export async function deliver(notice: Notice, { url, secrets }: Delivery): Promise<void> {
  const body = JSON.stringify(notice);
  let failure = "";
  for (let failures = 0; failures < ATTEMPTS; ) {
    failure = await attempt(url, notice.id, body, secrets);
    if (failure === "") return;
    failures += 1;
    if (failures < ATTEMPTS) await sleep(fullJitterMs(failures, BACKOFF, Math.random));
  }
  throw new WebhookRefusedError(
    `The webhook did not take a notice: ${failure}.`,
    "Lambda tries again, and files it as a dead letter in the end. Look at the receiver, and at serving.webhook.url.",
  );
}

/** An empty text, or why it failed. */
async function attempt(url: string, id: string, body: string, secrets: readonly string[]): Promise<string> {
  const timestampS = Math.floor(Date.now() / 1_000);
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: {
        // Without a charset: JSON is UTF-8, and the CloudEvents SDK takes this type in no other form.
        "content-type": STRUCTURED_MEDIA_TYPE,
        "webhook-id": id,
        "webhook-timestamp": String(timestampS),
        "webhook-signature": signatureOf(secrets, id, timestampS, body),
      },
      body,
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    // Nobody reads what it says.
    await response.body?.cancel();
    return response.ok ? "" : `it answered ${response.status}`;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return (error as Error).name === "TimeoutError"
      ? `no answer within ${ATTEMPT_TIMEOUT_MS} ms`
      : "it could not be reached";
  }
}
