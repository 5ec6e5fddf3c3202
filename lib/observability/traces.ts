/** Traces to X-Ray, by its OTLP endpoint: what code needs to know of it, and what its role needs to be allowed. */
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { environmentVariables } from "../../contracts/environment.ts";
import { acknowledgeAnyResource } from "../acknowledge.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** Variables of whatever records spans in the environment; none where its rate is 0. */
export function traceVariables({
  config,
  region,
  urlSuffix,
}: SpillwayStack): Readonly<Record<string, string>> {
  const { sampleRate } = config.tracing;
  if (sampleRate === 0) return {};
  return {
    [environmentVariables.traceSampleRate]: String(sampleRate),
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
    [environmentVariables.otlpEndpoint]: `https://xray.${region}.${urlSuffix}/v1/traces`,
  };
}

/**
 * What the OTLP endpoint asks for: to write spans, and to have some of them indexed.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
 */
export function allowTraces({ config }: SpillwayStack, role: IRole): void {
  if (config.tracing.sampleRate === 0) return;
  acknowledgeAnyResource(role, "Spans are of no resource: X-Ray's actions take none.");
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["xray:PutSpans", "xray:PutSpansForIndexing"], resources: ["*"] }),
  );
}
