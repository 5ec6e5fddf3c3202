/** `spillway catalogue`: every event and topic, whose they are, and who writes and reads them. */
import { catalogue as definitions } from "../../contracts/events/catalogue.ts";
import { type Command, parseOptions } from "../command.ts";
import { topologyOf } from "../explain/topology.ts";
import { DEPLOYED, loadPipelines } from "../pipelines/load.ts";
import { RELEASES_DIRECTORY, readReleases } from "../schemas/releases.ts";
import { cataloguePage } from "./page.ts";

const help = `Usage: spillway catalogue

Prints the event catalogue as a page in Markdown: types with their released versions, owners and classifications, and topics
with what they hold, who writes them and who reads them. docs/catalogue.md is this; npx vitest run test/cli/catalogue -u
writes it again. Reads and changes nothing else.

  --help        this text`;

export const catalogue: Command = {
  help,
  run: async (args) => {
    parseOptions(args, {});
    process.stdout.write(await deployedCatalogue());
    return 0;
  },
};

/** The page of what is deployed. */
export async function deployedCatalogue(): Promise<string> {
  const pipelines = await loadPipelines(DEPLOYED);
  return cataloguePage(definitions, await readReleases(RELEASES_DIRECTORY), pipelines.map(topologyOf));
}
