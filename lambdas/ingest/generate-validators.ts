/**
 * Writes the catalogue's validators as one self-contained ES module without eval, and with nothing left to
 * compile or to import:
 *
 *     node lambdas/ingest/generate-validators.ts OUT.mjs
 *
 * The handler imports `#event-validators`, which package.json maps to validators.ts. Bundle it with esbuild's
 * `alias` set to the generated file, and the compiling module, and with it Ajv, stays out of the bundle:
 *
 *     esbuild lambdas/ingest/handler.ts --bundle '--alias:#event-validators=/absolute/OUT.mjs'
 *
 * The output depends on the catalogue and on Ajv's version only: the same input gives the same bytes.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import standaloneCode from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { catalogue } from "../../contracts/events/catalogue.ts";
import { makeAjv } from "./ajv.ts";

/** The validators' source. It still requires Ajv's runtime helpers, which {@link writeValidators} inlines. */
function validatorsSource(): string {
  const ajv = makeAjv();
  const exportsByName: Record<string, string> = {};
  const entries = catalogue.map((definition, index) => {
    ajv.addSchema(definition.data, definition.type);
    exportsByName[`validator${index}`] = definition.type;
    return `  [${JSON.stringify(definition.type)}, validator${index}],`;
  });
  const functions = standaloneCode.default(ajv, exportsByName);
  return `${functions}\nexport const validators = new Map([\n${entries.join("\n")}\n]);\n`;
}

/** Writes the module to `outFile`, whose folder is made where it is missing. */
export async function writeValidators(outFile: string): Promise<void> {
  await mkdir(path.dirname(path.resolve(outFile)), { recursive: true });
  await build({
    stdin: { contents: validatorsSource(), resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // Paths in the output's comments are relative to this folder, wherever the command was started.
    absWorkingDir: import.meta.dirname,
    outfile: path.resolve(outFile),
    logLevel: "warning",
  });
}

if (import.meta.main) {
  const outFile = process.argv[2];
  if (outFile === undefined) {
    process.stderr.write("Usage: node lambdas/ingest/generate-validators.ts OUT.mjs\n");
    process.exitCode = 2;
  } else {
    await writeValidators(outFile);
  }
}
