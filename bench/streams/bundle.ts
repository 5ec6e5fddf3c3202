/** The processor's bundle, made as synth makes it, but for the pipelines in it. */
import { join } from "node:path";
import { build } from "esbuild";
import { REPOSITORY_ROOT } from "../../lib/functions/bundle.ts";

/**
 * Kept like those of lib/functions/bundle.ts, which takes no pipelines but those that are deployed.
 * `minify: false` leaves functions their names.
 */
export async function bundleProcessor(outfile: string, { minify = true } = {}): Promise<void> {
  const benchPipelines = join(import.meta.dirname, "pipelines.ts");
  await build({
    absWorkingDir: REPOSITORY_ROOT,
    entryPoints: ["processors/main.ts"],
    outfile,
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    bundle: true,
    external: ["bowser"],
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
    mainFields: ["module", "main"],
    minify,
    platform: "node",
    target: "node24",
    plugins: [
      {
        name: "bench-pipelines",
        setup: ({ onResolve }) => {
          onResolve({ filter: /\/pipelines\/all\.ts$/ }, () => ({ path: benchPipelines }));
        },
      },
    ],
  });
}
