import { ACCOUNT_ID } from "../assembly/identities.ts";
import { arrayOf, type JsonObject, numberOf, objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import type { JwtAuthorizer } from "../http/jwt.ts";
import type { ApiIdentity } from "../http/payload.ts";
import type { RequestLimit } from "../http/request-limit.ts";
import type { Plan } from "./plan.ts";

/** What the gateway waits for an integration at most, and by default (HTTP API quotas). */
const MAX_INTEGRATION_TIMEOUT_MS = 30_000;

export interface RoutePlan {
  readonly routeKey: string;
  readonly function: Resource;
  readonly timeoutMs: number;
  readonly signed: boolean;
  /** Whose tokens the route asks for; undefined: none. */
  readonly jwt: JwtAuthorizer | undefined;
}

export interface ApiPlan {
  readonly identity: ApiIdentity;
  readonly routes: readonly RoutePlan[];
  readonly limit: RequestLimit | undefined;
}

/** Routes, stage and limits of one HTTP API. What cannot be served here is named in `warn`. */
export function planApi(
  plan: Plan,
  api: Resource,
  domainName: string,
  warn: (line: string) => void,
): ApiPlan {
  const { resolver, identities } = plan;
  const apiId = textOf(identities.identify(api)) ?? "";
  const ownedBy = (type: string): Resource[] =>
    plan.resources(type).filter((resource) => resolver.property(resource, "ApiId") === apiId);
  const integrations = new Map(
    ownedBy("AWS::ApiGatewayV2::Integration").map((resource) => [identities.identify(resource), resource]),
  );
  const authorizers = new Map(
    ownedBy("AWS::ApiGatewayV2::Authorizer").map((resource) => [
      identities.identify(resource),
      resolver.properties(resource),
    ]),
  );
  const routes: RoutePlan[] = [];
  for (const resource of ownedBy("AWS::ApiGatewayV2::Route")) {
    const { RouteKey, Target, AuthorizationType, AuthorizerId } = resolver.properties(resource);
    const integration = integrations.get((textOf(Target) ?? "").replace(/^integrations\//, ""));
    const properties = integration === undefined ? {} : resolver.properties(integration);
    if (properties.IntegrationType !== "AWS_PROXY" || properties.PayloadFormatVersion !== "2.0") {
      warn(
        `${api.stack.name}: route ${textOf(RouteKey)} is no Lambda integration with payload format 2.0; left out.`,
      );
      continue;
    }
    const authorization = textOf(AuthorizationType) ?? "NONE";
    if (!["NONE", "AWS_IAM", "JWT"].includes(authorization)) {
      warn(
        `${api.stack.name}: route ${textOf(RouteKey)} has a ${authorization} authorizer, which is not asked locally.`,
      );
    }
    if (authorization === "JWT") {
      warn(`${api.stack.name}: route ${textOf(RouteKey)} takes tokens here whose signature nobody checks.`);
    }
    routes.push({
      routeKey: textOf(RouteKey) ?? "$default",
      function: plan.need(resource, functionArn(textOf(properties.IntegrationUri)), "AWS::Lambda::Function"),
      timeoutMs: numberOf(properties.TimeoutInMillis) ?? MAX_INTEGRATION_TIMEOUT_MS,
      signed: authorization === "AWS_IAM",
      jwt: authorization === "JWT" ? jwtAuthorizer(authorizers.get(textOf(AuthorizerId))) : undefined,
    });
  }
  const [stage] = ownedBy("AWS::ApiGatewayV2::Stage");
  const properties = stage === undefined ? {} : resolver.properties(stage);
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = objectOf(properties.DefaultRouteSettings);
  const perSecond = numberOf(ThrottlingRateLimit);
  return {
    identity: {
      apiId,
      accountId: ACCOUNT_ID,
      domainName,
      stage: textOf(properties.StageName) ?? "$default",
      stageVariables: Object.fromEntries(
        Object.entries(objectOf(properties.StageVariables)).map(([name, value]) => [name, String(value)]),
      ),
    },
    routes,
    limit:
      perSecond === undefined ? undefined : { perSecond, burst: numberOf(ThrottlingBurstLimit) ?? perSecond },
  };
}

function jwtAuthorizer(properties: JsonObject | undefined): JwtAuthorizer {
  const { Issuer, Audience } = objectOf(properties?.JwtConfiguration);
  return { issuer: textOf(Issuer) ?? "", audience: arrayOf(Audience).flatMap((one) => textOf(one) ?? []) };
}

/** An integration names its function by ARN, or inside the ARN of Lambda's invoke path. */
const functionArn = (uri: string | undefined): string | undefined =>
  /functions\/(arn:[^/]+)\/invocations$/.exec(uri ?? "")?.[1] ?? uri;
