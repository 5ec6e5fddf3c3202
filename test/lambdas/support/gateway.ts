/** A small HTTP server in front of a handler: API Gateway's payload format 2.0, in as far as the handlers read it. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";

export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

/** A function's context with this much time left. */
export const contextWith = (remainingMs: number): Context =>
  ({ awsRequestId: "test", functionName: "test", getRemainingTimeInMillis: () => remainingMs }) as Context;

/** Serves the handler on a free loopback port. */
export async function startGateway(handler: HttpHandler): Promise<Gateway> {
  const server = createServer(async (request, response) => {
    const result = await handler(await eventOf(request), contextWith(10_000));
    response.writeHead(result.statusCode ?? 200, result.headers as Record<string, string>);
    response.end(result.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function eventOf(request: IncomingMessage): Promise<APIGatewayProxyEventV2> {
  const body = Buffer.concat(await request.toArray());
  return {
    headers: request.headers as Record<string, string>,
    body: body.toString("base64"),
    isBase64Encoded: true,
  } as APIGatewayProxyEventV2;
}
