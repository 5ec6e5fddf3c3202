import { environmentVariables } from "../../contracts/environment.ts";
import type { EnvironmentConfig } from "../config/environment.ts";

/** What tells a function the loads above which it sheds; nothing, where the environment's are the default ones. */
export const sheddingOf = ({ ingest }: EnvironmentConfig): Readonly<Record<string, string>> =>
  ingest.shedding ? { [environmentVariables.shedding]: JSON.stringify(ingest.shedding) } : {};
