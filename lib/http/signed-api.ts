import { CfnOutput } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  HttpApi,
  type HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { Construct } from "constructs";
import type { HttpFunctionConfig } from "../config/environment.ts";
import type { PlatformFunction } from "../functions/platform-function.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

export interface SignedApiProps {
  readonly description: string;
  readonly routes: readonly SignedRoute[];
  readonly handler: PlatformFunction;
  /** @default an IAM signature */
  readonly authorizer?: IHttpRouteAuthorizer;
  readonly limits: HttpFunctionConfig;
}

export interface SignedRoute {
  readonly method: HttpMethod;
  /** With a slash in front. */
  readonly path: string;
}

/**
 * An HTTP API of one function, for callers that sign their requests (SigV4) and whose IAM policies allow them
 * `execute-api:Invoke` on its routes, or whom another authorizer knows. The URL
 * that the stack puts out is the first route's.
 */
export class SignedApi extends Construct {
  constructor(scope: SpillwayStack, id: string, props: SignedApiProps) {
    super(scope, id);
    const api = new HttpApi(this, "Api", {
      apiName: `spillway-${scope.config.name}-${id.toLowerCase()}`,
      description: props.description,
      createDefaultStage: false,
    });
    const authorizer = props.authorizer ?? new HttpIamAuthorizer();
    const integration = new HttpLambdaIntegration("Integration", props.handler.lambda, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    for (const { path, method } of props.routes) {
      api.addRoutes({ path, methods: [method], authorizer, integration });
    }
    const stage = new HttpStage(this, "Stage", {
      httpApi: api,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: props.limits.requestsPerSecond, burstLimit: props.limits.burstRequests },
      accessLogSettings: {
        destination: new LogGroupLogDestination(scope.logGroup(this, "AccessLogs")),
        format: AccessLogFormat.custom(ACCESS_LOG_FORMAT),
      },
    });
    new CfnOutput(this, "Url", {
      value: `${stage.url}${props.routes[0]!.path.slice(1)}`,
      description: props.description,
    });
  }
}

/** Who called what and how it ended, as JSON; never a body, and no path parameter that could be personal. */
const ACCESS_LOG_FORMAT = JSON.stringify({
  requestId: "$context.requestId",
  time: "$context.requestTime",
  caller: "$context.identity.userArn",
  ip: "$context.identity.sourceIp",
  route: "$context.routeKey",
  status: "$context.status",
  latencyMs: "$context.responseLatency",
  integrationMs: "$context.integrationLatency",
  error: "$context.error.message",
});
