/** The processor's bundle, made as synth makes it, but for the pipelines in it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { REPOSITORY_ROOT } from "../../lib/functions/bundle.ts";

export interface BundleOptions {
  /** Without it functions keep their names. @default true */
  readonly minify?: boolean;
  /** The module of the pipelines in it. @default those of the streams' cases */
  readonly pipelines?: string;
  /** Other values for constants of the processor's. */
  readonly constants?: readonly Constant[];
}

/** A number in a source file, as in `NAME = 1_000;` or `name: 1_000,`. */
export interface Constant {
  /** From the root of the repository on. */
  readonly file: string;
  readonly name: string;
  readonly value: number;
}

/** Kept like those of lib/functions/bundle.ts, which takes no pipelines but those that are deployed. */
export async function bundleProcessor(
  outfile: string,
  {
    minify = true,
    pipelines = join(import.meta.dirname, "pipelines.ts"),
    constants = [],
  }: BundleOptions = {},
): Promise<void> {
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
    plugins: [withPipelines(pipelines), ...constants.map(withConstant)],
  });
}

const withPipelines = (path: string): Plugin => ({
  name: "bench-pipelines",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/pipelines\/all\.ts$/ }, () => ({ path }));
  },
});

/** The build fails where the file has no such constant, so that nothing is measured under another's name. */
const withConstant = ({ file, name, value }: Constant): Plugin => ({
  name: `constant-${name}`,
  setup: ({ onLoad }) => {
    const filter = new RegExp(`${file.replaceAll(".", "\\.")}$`);
    onLoad({ filter }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      return { contents: withValue(source, name, value), loader: "ts" };
    });
  },
});

/** The source with another value for a constant. Throws where it does not have exactly one of that name. */
export function withValue(source: string, name: string, value: number): string {
  const assignment = new RegExp(`\\b(${name}(?: =|:)) [\\d_* ]+(?=[;,])`, "g");
  const found = source.match(assignment)?.length ?? 0;
  if (found !== 1) throw new Error(`${name} is set to a number ${found} times, which should be once`);
  return source.replace(assignment, `$1 ${value}`);
}
