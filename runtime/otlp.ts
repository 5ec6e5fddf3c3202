/** Sends spans by OTLP over HTTP, as JSON: to X-Ray signed, to any other collector as it is. */
import { Sha256 } from "@aws-crypto/sha256-js";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { SignatureV4 } from "@smithy/signature-v4";
import type { SendSpans } from "./span-buffer.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html */
const XRAY = /^xray\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/;

const HEADERS = {
  "content-type": "application/json",
  // A connection would not outlive the next freeze of a function, and one request in seconds is worth none.
  connection: "close",
};

type Sign = (url: URL, headers: Record<string, string>, body: Uint8Array) => Promise<Record<string, string>>;

/** `endpoint`: the whole URL. Throws TypeError where it is none. */
export function otlpSender(endpoint: string): SendSpans {
  const url = new URL(endpoint);
  const region = XRAY.exec(url.hostname)?.[1];
  const sign: Sign = region === undefined ? async (_url, headers) => headers : signer(region);
  return async (spans, deadline) => {
    const body = JsonTraceSerializer.serializeRequest(spans as ReadableSpan[])!;
    // Credentials may have to be fetched first, for which the deadline holds too.
    const headers = await before(deadline, sign(url, HEADERS, body));
    const response = await fetch(url, { method: "POST", headers, body, signal: deadline });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`${url.host} answered ${response.status} to ${spans.length} spans.`);
  };
}

function signer(region: string): Sign {
  const signature = new SignatureV4({
    credentials: defaultProvider(),
    region,
    service: "xray",
    sha256: Sha256,
  });
  return async ({ protocol, hostname, pathname }, { connection, ...headers }, body) => {
    // A proxy may change what is about the connection alone, so that it is left out of what is signed.
    const signed = await signature.sign({
      method: "POST",
      protocol,
      hostname,
      path: pathname,
      headers: { ...headers, host: hostname },
      body,
    });
    return { ...signed.headers, connection: connection! };
  };
}

function before<Result>(deadline: AbortSignal, work: Promise<Result>): Promise<Result> {
  deadline.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const expire = (): void => reject(deadline.reason);
  deadline.addEventListener("abort", expire);
  return Promise.race([work, promise]).finally(() => deadline.removeEventListener("abort", expire));
}
