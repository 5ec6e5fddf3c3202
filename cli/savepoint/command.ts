/** `spillway savepoint`: a copy of a pipeline's state that stays, for another version of it to start from. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { deleteSavepoint, type SavedTask } from "../../processors/engine/checkpoint/savepoint.ts";
import { takeSavepoint } from "../../processors/engine/checkpoint/take-savepoint.ts";
import { type Command, parseOptions, UsageError } from "../command.ts";
import { DEPLOYMENT_HELP, type Deployment, withDeployment } from "../deployment.ts";
import { DEPLOYED, loadPipeline } from "../pipelines/load.ts";

const help = `Usage: spillway savepoint <pipeline> --name <name> [options]

Copies the last committed checkpoint of every task of a pipeline, which may be running meanwhile, to names that no
garbage collection touches. Every task's copy is a cut of its own: together they are one position in every partition,
not one moment. Another pipeline starts from it with startAt: { savepoint: "<name>", of: "<pipeline>" }.

${DEPLOYMENT_HELP}
  --name N          what it is called: lower-case words joined by hyphens
  --delete          delete it instead
  --pipeline M      the module that exports the pipeline   (default: processors/pipelines/all.ts)
  --help            this text`;

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MAX_NAME_CHARS = 64;

export const savepoint: Command = {
  help,
  run: async ([pipeline, ...args], signal) => {
    const values = parseOptions(args, {
      name: { type: "string" },
      delete: { type: "boolean", default: false },
      control: { type: "string" },
      pipeline: { type: "string", default: DEPLOYED },
    });
    if (pipeline === undefined || pipeline.startsWith("-")) throw new UsageError("say which pipeline");
    const name = requireName(values.name);
    return withDeployment(values.control, async (deployment) => {
      if (values.delete) {
        await deleteSavepoint(deployment.store, deployment.environment, pipeline, name);
        console.log(`savepoint ${name} of ${pipeline} is deleted`);
      } else {
        const tasks = await take(deployment, { pipeline, module: values.pipeline, name }, signal);
        console.log(report(pipeline, name, tasks));
      }
      return 0;
    });
  },
};

function requireName(name: string | undefined): string {
  if (name !== undefined && NAME.test(name) && name.length <= MAX_NAME_CHARS) return name;
  throw new UsageError(
    `--name takes up to ${MAX_NAME_CHARS} lower-case letters, digits and single hyphens, not "${name ?? ""}"`,
  );
}

async function take(
  { environment, log, store }: Deployment,
  { pipeline, module, name }: { readonly pipeline: string; readonly module: string; readonly name: string },
  signal: AbortSignal,
): Promise<readonly SavedTask[]> {
  return takeSavepoint({
    log,
    store,
    environment,
    definition: await loadPipeline(module, pipeline),
    name,
    newId: randomUUID,
    epochMs: () => Date.now(),
    sleep: (ms) => delay(ms, undefined, { signal }),
  });
}

function report(pipeline: string, name: string, tasks: readonly SavedTask[]): string {
  const lines = tasks.map(({ partition, checkpoint, offsets, watermarkMs }) => {
    const positions = offsets.map(({ topic, offset }) => `${topic} ${offset}`).join(", ");
    const watermark = watermarkMs === null ? "none yet" : new Date(watermarkMs).toISOString();
    return `  partition ${partition}: checkpoint ${checkpoint}, next offset ${positions}, watermark ${watermark}`;
  });
  return [
    `savepoint ${name} of ${pipeline}, ${tasks.length} tasks:`,
    ...lines,
    `start another pipeline from it with startAt: { savepoint: "${name}", of: "${pipeline}" }`,
  ].join("\n");
}
