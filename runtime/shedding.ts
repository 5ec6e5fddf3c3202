/** The loads above which a function sheds, as its environment says. */
import { environmentVariables } from "../contracts/environment.ts";
import { defaultShedding, type SheddingThresholds } from "../contracts/signals.ts";

/** The stack writes them, so that they are well-formed or absent. */
export function sheddingThresholds(): SheddingThresholds {
  const text = process.env[environmentVariables.shedding];
  return text === undefined ? defaultShedding : (JSON.parse(text) as SheddingThresholds);
}
