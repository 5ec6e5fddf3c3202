import { dirname, join, resolve } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { type Bundle, bundle, REPOSITORY_ROOT } from "./bundle.ts";

/**
 * The functions of the platform, and the modules that export their `handler`, from the repository's root. Each has
 * a folder of its own: CDK bundles a folder once, whatever module in it is asked for.
 */
export const functionEntries = {
  door: "lambdas/door/handler.ts",
  archive: "lambdas/archive/handler.ts",
  flowControl: "lambdas/flow-control/handler.ts",
  forward: "lambdas/forward/handler.ts",
  ingest: "lambdas/ingest/handler.ts",
  query: "lambdas/query/handler.ts",
  redrive: "lambdas/redrive/handler.ts",
  sink: "lambdas/sink/handler.ts",
  webhook: "lambdas/webhook/handler.ts",
} as const;

/** The module's name in the bundle; Lambda starts `index.handler`. */
const BUNDLE_NAME = "index.mjs";

/**
 * A function's bundled code. Its hash is its content's, so an unchanged function is not deployed again. The CLI
 * skips the bundling for stacks that a command does not concern (context `aws:cdk:bundling-stacks`).
 */
export function functionCode(entry: string, write: (bundle: Bundle) => void = bundle): Code {
  const source = resolve(REPOSITORY_ROOT, entry);
  return Code.fromAsset(dirname(source), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK's type asks for an image to fall back to; the local bundling below never falls back.
      image: DockerImage.fromRegistry("none"),
      local: {
        tryBundle(outputDirectory: string): boolean {
          write({ entry: source, outfile: join(outputDirectory, BUNDLE_NAME) });
          return true;
        },
      },
    },
  });
}
