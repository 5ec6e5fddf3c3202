/** Bundles TypeScript with esbuild at synth: no Docker, no network, the same bytes for the same sources. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** The checkout's root; code is named by its path from here, and never imported. */
export const REPOSITORY_ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Bundled CommonJS packages (kafkajs) call `require` for Node's own modules, which an ES module does not have. */
const REQUIRE_FOR_COMMONJS =
  'import{createRequire}from"node:module";const require=createRequire(import.meta.url);';

/** Loads `node:http` without what nobody uses of it. */
const LEAN_HTTP = { "node:http": join(import.meta.dirname, "node-http.cjs") };

/** What the AWS SDK imports where it runs in a browser, and nowhere else: 34 kB of names of browsers. */
const BROWSERS_ONLY = ["bowser"];

export interface Bundle {
  /** The module to start from: an absolute path, or one from the repository's root. */
  readonly entry: string;
  /** Absolute path of the ES module to write; must end in `.mjs`. */
  readonly outfile: string;
  /** Import specifiers to take from another file (an absolute path) than the one they name. */
  readonly alias?: Readonly<Record<string, string>>;
}

/** Throws esbuild's error, which names file and line, where the sources do not bundle. */
export function bundle({ entry, outfile, alias }: Bundle): void {
  buildSync({
    absWorkingDir: REPOSITORY_ROOT,
    entryPoints: [entry],
    outfile,
    alias: { ...LEAN_HTTP, ...alias },
    banner: { js: REQUIRE_FOR_COMMONJS },
    bundle: true,
    external: BROWSERS_ONLY,
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
    mainFields: ["module", "main"],
    minify: true,
    platform: "node",
    target: "node24",
  });
}

/** Writing the event validators failed. */
export class ValidatorsError extends Error {
  override readonly name = "ValidatorsError";
  readonly code = "VALIDATORS";
}

/**
 * {@link bundle}, with generated validators in place of those that the ingest function compiles when it runs from
 * source: a cold start compiles nothing, and the bundle holds no `eval`. Throws {@link ValidatorsError} too.
 */
export function bundleWithEventValidators(options: Bundle): void {
  const directory = mkdtempSync(join(tmpdir(), "spillway-validators-"));
  try {
    const validators = join(directory, "event-validators.mjs");
    const generator = join(REPOSITORY_ROOT, "lambdas/ingest/generate-validators.ts");
    const run = spawnSync(process.execPath, [generator, validators], { encoding: "utf8" });
    if (run.error || run.status !== 0) {
      const reason = run.error?.message ?? run.stderr;
      throw new ValidatorsError(
        `${generator} ended with ${run.status}. Run it by hand to see more. ${reason}`,
      );
    }
    bundle({ ...options, alias: { ...options.alias, "#event-validators": validators } });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
