/**
 * Loaded before anything else in the process of one mutant: changes the source of one module as it is loaded. The
 * simulation's reference, and all that it imports, is loaded a second time and stays as it is.
 */
import { registerHooks } from "node:module";
import { mutate } from "./mutant.ts";
import { namedMutant } from "./named.ts";

const UNCHANGED = "?unchanged";
const REFERENCE = "/test/processors/engine/simulation/reference.ts";

const mutant = namedMutant()!;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    const { parentURL = "" } = context;
    const isOfReference = parentURL.endsWith(REFERENCE) || parentURL.endsWith(UNCHANGED);
    const isSource = resolved.url.startsWith("file:") && !resolved.url.includes("/node_modules/");
    return isOfReference && isSource ? { ...resolved, url: resolved.url + UNCHANGED } : resolved;
  },
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutant.file}`)) return loaded;
    return { ...loaded, source: mutate(mutant, String(loaded.source)) };
  },
});
