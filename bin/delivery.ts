/**
 * The CDK app of what an environment is deployed by, for a person to deploy once:
 * `npx cdk deploy --app "node bin/delivery.ts" -c environment=dev -c repository=owner/name`.
 */
import { spillwayApp } from "../lib/app.ts";
import { environmentConfig } from "../lib/config/environments.ts";
import { DeliveryStack } from "../lib/delivery/delivery-stack.ts";

const app = spillwayApp();
const context = (name: string): string => String(app.node.tryGetContext(name) ?? "");
new DeliveryStack(app, environmentConfig(context("environment")), {
  repository: context("repository"),
  hasOidcProvider: context("oidcProvider") === "existing",
});
app.synth();
