import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "aws-cdk-lib";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import type { Construct } from "constructs";
import { bundle, REPOSITORY_ROOT } from "../functions/bundle.ts";

/** The module that runs a service's pipelines, from the repository's root. */
export const PROCESSOR_ENTRY = "processors/main.ts";

/** What the Dockerfile copies into the image. */
const BUNDLE_NAME = "main.mjs";
/** Asks the processor how it is; in the image's working directory. */
export const HEALTH_CHECK = "healthcheck.mjs";

/**
 * The processors' image: one for all services, as the pipelines that a process runs are in its environment. Its
 * folder holds the Dockerfile and the bundle; the image itself is built by `cdk deploy`, not by synth.
 */
export function processorImage(scope: Construct, entry: string): DockerImageAsset {
  const directory = mkdtempSync(join(tmpdir(), "spillway-processor-"));
  try {
    for (const file of ["Dockerfile", HEALTH_CHECK]) {
      copyFileSync(join(REPOSITORY_ROOT, "processors", file), join(directory, file));
    }
    if (Stack.of(scope).bundlingRequired) bundle({ entry, outfile: join(directory, BUNDLE_NAME) });
    // The folder is copied into the assembly here and now, so that it can go at once.
    return new DockerImageAsset(scope, "ProcessorImage", { directory, platform: Platform.LINUX_ARM64 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
