/** `spillway reset`: a pipeline's state is thrown away. */
import { KafkaGroups } from "../processors/adapters/kafka-groups.ts";
import { resetPipeline } from "../processors/engine/checkpoint/reset.ts";
import { type Command, parseOptions, UsageError } from "./command.ts";
import { DEPLOYMENT_HELP, withDeployment } from "./deployment.ts";
import { DEPLOYED, loadPipeline } from "./pipelines/load.ts";

const help = `Usage: spillway reset <pipeline> --discard-state [options]

Throws the state of a pipeline away: the checkpoints of all its tasks and the offsets of its groups. It then begins anew
where its startAt says, and its results win over those of before, which stay where no new one takes their place. Refused
while anything runs it. It can be run again if it was broken off.

${DEPLOYMENT_HELP}
  --discard-state   that this is meant: the state cannot be brought back, but from a savepoint
  --pipeline M      the module that exports the pipeline   (default: processors/pipelines/all.ts)
  --help            this text`;

export const reset: Command = {
  help,
  run: async ([pipeline, ...args]) => {
    const values = parseOptions(args, {
      "discard-state": { type: "boolean", default: false },
      control: { type: "string" },
      pipeline: { type: "string", default: DEPLOYED },
    });
    if (pipeline === undefined || pipeline.startsWith("-")) throw new UsageError("say which pipeline");
    if (!values["discard-state"]) {
      throw new UsageError(
        `reset throws the state of ${pipeline} away; say --discard-state if that is meant`,
      );
    }
    const definition = await loadPipeline(values.pipeline, pipeline);
    return withDeployment(values.control, async ({ environment, log, store, admin }) => {
      const stages = await resetPipeline({
        log,
        groups: new KafkaGroups(admin),
        store,
        environment,
        definition,
      });
      for (const { name, partitions, generation } of stages) {
        console.log(`${name}: ${partitions} tasks begin anew, with results of generation ${generation}`);
      }
      return 0;
    });
  },
};
