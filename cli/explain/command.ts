/** `spillway explain`: what a pipeline reads, keeps and writes. */
import { type Command, parseNamed, UsageError } from "../command.ts";
import { DEPLOYED, loadPipeline } from "../pipelines/load.ts";
import { topologyText } from "./text.ts";
import { topologyOf } from "./topology.ts";

const help = `Usage: spillway explain <pipeline> [options]
       spillway explain --pipeline <module.ts> [<pipeline>] [options]

Prints a pipeline's topology from its definition: inputs, keys, windows, aggregates, state, topics, what is kept how
long, and what its consumer group, transactions and checkpoints are called. Reads and changes nothing else.

  --pipeline M  the module that exports the pipeline   (default: processors/pipelines/all.ts)
  --name N      which of the module's pipelines, as in replay; the same as <pipeline>
  --json        as JSON
  --help        this text`;

export const command: Command = {
  help,
  run: async (args) => {
    const { pipeline, name, json } = explainOptions(args);
    const topology = topologyOf(await loadPipeline(pipeline, name));
    console.log(json ? JSON.stringify(topology, undefined, 2) : topologyText(topology));
    return 0;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function explainOptions(args: readonly string[]) {
  const { values, named } = parseNamed(args, {
    pipeline: { type: "string", default: DEPLOYED },
    name: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (named !== undefined && values.name !== undefined) {
    throw new UsageError(`explain is told two names, ${named} and --name ${values.name}; give one`);
  }
  return { ...values, name: named ?? values.name };
}
