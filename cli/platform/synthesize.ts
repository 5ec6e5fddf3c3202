import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { exitOf, signalGroup, startChild } from "./child.ts";

const root = new URL("../../", import.meta.url);

/** The CDK app of the platform, from the repository's root. */
export const PLATFORM_APP = "bin/spillway.ts";

/** The repository's root, as a path. */
export const rootPath = fileURLToPath(root);

/**
 * Runs the CDK app; the cloud assembly is in `outputFolder` when it resolves. Needs no account and no network. Beside
 * that folder stays whatever the app keeps while it bundles and is stopped at: its parent is the caller's to remove.
 * @param appPath from the repository's root
 * @param context of the CDK app, as `cdk synth -c` takes it
 */
export async function synthesize(
  outputFolder: string,
  signal: AbortSignal,
  appPath: string = PLATFORM_APP,
  context: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  signal.throwIfAborted();
  const app = startChild([fileURLToPath(new URL(appPath, root))], {
    env: {
      CDK_OUTDIR: outputFolder,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      TMPDIR: dirname(outputFolder),
    },
    onLine: () => {},
  });
  const stop = () => signalGroup(app.process, "SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  await app.ended;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (app.process.exitCode !== 0) {
    throw new Error([`${appPath} ${exitOf(app.process)}. Its last lines:`, ...app.lastLines].join("\n"));
  }
}
