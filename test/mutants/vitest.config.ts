/** Runs tests on a source with one mutant in it, the one that the environment names, or on the source as it is. */
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";
import { mutate } from "./mutant.ts";
import { namedMutant } from "./named.ts";

const mutant = namedMutant();

const mutation: Plugin = {
  name: "spillway-mutant",
  // Before types are stripped: a mutant is of the source as it is written.
  enforce: "pre",
  transform: (source, id) =>
    mutant !== undefined && id.endsWith(`/${mutant.file}`) ? mutate(mutant, source) : undefined,
};

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  plugins: [mutation],
  test: {
    ...base.test,
    // A module that was transformed for one mutant must not be another's.
    fsModuleCache: false,
    cache: false,
    // One file at a time: whoever runs mutants runs several of these processes at once.
    maxWorkers: 1,
    reporters: [fileURLToPath(new URL("./verdict-reporter.ts", import.meta.url))],
  },
});
