/** The CDK app: `cdk synth -c environment=dev`, or run on its own with CDK_OUTDIR set. */
import { spillwayApp } from "../lib/app.ts";
import { environmentConfig } from "../lib/config/environments.ts";
import { addPlatform } from "../lib/platform.ts";
import { pipelines } from "../processors/pipelines/all.ts";

const app = spillwayApp();
const environment: unknown = app.node.tryGetContext("environment") ?? "dev";
addPlatform(app, environmentConfig(String(environment)), pipelines);
app.synth();
