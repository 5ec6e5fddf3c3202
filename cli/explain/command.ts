/** `spillway explain`: what a pipeline reads, keeps and writes. */
import { type Command, parseOptions } from "../command.ts";
import { DEPLOYED, loadPipeline } from "../pipelines/load.ts";
import { topologyText } from "./text.ts";
import { topologyOf } from "./topology.ts";

const help = `Usage: spillway explain <pipeline> [options]
       spillway explain --pipeline <module.ts> [options]

Prints a pipeline's topology from its definition: inputs, keys, windows, aggregates, state, topics, what is kept how
long, and what its consumer group, transactions and checkpoints are called. Reads and changes nothing else.

  --pipeline M  the module that exports the pipeline   (default: processors/pipelines/all.ts)
  --json        as JSON
  --help        this text`;

export const command: Command = {
  help,
  run: async (args) => {
    const [first, ...rest] = args;
    const name = first === undefined || first.startsWith("-") ? undefined : first;
    const values = parseOptions(name === undefined ? args : rest, {
      pipeline: { type: "string", default: DEPLOYED },
      json: { type: "boolean", default: false },
    });
    const topology = topologyOf(await loadPipeline(values.pipeline, name));
    console.log(values.json ? JSON.stringify(topology, undefined, 2) : topologyText(topology));
    return 0;
  },
};
