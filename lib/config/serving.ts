/** What may differ between environments in how results are served to others. */
import { matches, within } from "./checks.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";

export interface ServingConfig {
  /** The way for everybody to what pipelines declare public. @default none: then nothing is public */
  readonly cdn?: CdnConfig;
  /** Where notices of new results are sent to. @default they are on the event bus only */
  readonly webhook?: WebhookConfig;
}

export interface WebhookConfig {
  /** HTTPS; what is sent there is signed with the secret that the stack makes. */
  readonly url: string;
}

export interface CdnConfig {
  /** A name of one's own: under CloudFront's, TLS 1.0 could not be refused. */
  readonly domainName: string;
  /** Of a certificate for it in us-east-1, the one region that CloudFront takes certificates from. */
  readonly certificateArn: string;
  /** Upper bound of concurrent executions of the function behind it: anybody may ask. */
  readonly reservedConcurrency: number;
  /** AWS WAF in front of it, in a stack of its own in us-east-1; needs `region`. @default none */
  readonly firewall?: {
    /** What is more from one address within five minutes is refused (403). */
    readonly maxRequestsPerAddress: number;
  };
}

/** The region of everything that CloudFront takes from a fixed one. */
export const CLOUDFRONT_REGION = "us-east-1";

const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const CERTIFICATE = /^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
/** https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html */
const [MIN_RATE, MAX_RATE] = [10, 2_000_000_000];

/** Throws {@link EnvironmentConfigError} at the first field that cannot work. */
export function validateServing({ cdn, webhook }: ServingConfig, region: string | undefined): void {
  if (webhook !== undefined) {
    matches(
      "serving.webhook.url",
      webhook.url,
      /^https:\/\/[^\s#@]+$/,
      "an HTTPS URL without a user or a fragment",
    );
  }
  if (cdn !== undefined) validateCdn(cdn, region);
}

function validateCdn(cdn: CdnConfig, region: string | undefined): void {
  matches("serving.cdn.domainName", cdn.domainName, DOMAIN, "a domain name, such as results.example.org");
  matches("serving.cdn.certificateArn", cdn.certificateArn, CERTIFICATE, "a certificate's ARN in us-east-1");
  within("serving.cdn.reservedConcurrency", cdn.reservedConcurrency, 1, 10_000);
  if (cdn.firewall === undefined) return;
  const { maxRequestsPerAddress } = cdn.firewall;
  within("serving.cdn.firewall.maxRequestsPerAddress", maxRequestsPerAddress, MIN_RATE, MAX_RATE);
  if (region !== undefined) return;
  const expected =
    "stated where serving.cdn.firewall is: its stack is in us-east-1, and the two must find each other";
  throw new EnvironmentConfigError("region", region, expected);
}
