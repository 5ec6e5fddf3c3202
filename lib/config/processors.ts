/** What may differ between environments in the processors, which run the pipelines. */
import { LATENCY_TARGET_MS } from "../../contracts/signals.ts";
import { matches, within } from "./checks.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";

export interface ProcessorConfig {
  /** 1,024 units are one vCPU. */
  readonly cpuUnits: number;
  readonly memoryMib: number;
  /** Tasks of each service; never more than the partitions of what it reads. */
  readonly minTasks: number;
  readonly maxTasks: number;
  /**
   * Share of the tasks beyond the first that run on spare capacity (Fargate Spot), which AWS may take back with two
   * minutes' notice: as much time as a task needs to leave. With 1 the first does too. 0 to 1, in tenths.
   */
  readonly spotShare: number;
  /**
   * Time between two checkpoints of a task that has anything to commit. Until its checkpoint commits nobody sees a result,
   * and after a crash everything since is done again; each is up to two PUTs to S3 and three writes to DynamoDB, whatever
   * the load (docs/costs.md). 200 to 10,000: with less, checkpoints would follow each other without a pause, and a stage has
   * ten seconds for an event (LATENCY_TARGET_MS) before it counts as late. The transaction of a checkpoint begins when it is
   * written, so that no timeout of Kafka's bounds this.
   */
  readonly checkpointIntervalMs: number;
  /** HTTPS base URLs of services that pipelines ask, by the name that `enrich` calls them. */
  readonly serviceUrls: Readonly<Record<string, string>>;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html, memory in GiB. */
const FARGATE_MEMORY_GIB: Readonly<Record<number, readonly [min: number, max: number, step: number]>> = {
  256: [0.5, 2, 0.5],
  512: [1, 4, 1],
  1024: [2, 8, 1],
  2048: [4, 16, 1],
  4096: [8, 30, 1],
  8192: [16, 60, 4],
  16384: [32, 120, 8],
};

/** A checkpoint takes some 200 ms: docs/operations.md, section Latency baselines, its 95th percentile less the interval. */
const MIN_CHECKPOINT_INTERVAL_MS = 200;

/** Throws {@link EnvironmentConfigError} at the first field that cannot work. */
export function validateProcessors(processors: ProcessorConfig): void {
  const { cpuUnits, memoryMib, minTasks, maxTasks, spotShare, checkpointIntervalMs, serviceUrls } =
    processors;
  const sizes = FARGATE_MEMORY_GIB[cpuUnits];
  if (!sizes) {
    const known = Object.keys(FARGATE_MEMORY_GIB).join(", ");
    throw new EnvironmentConfigError("processors.cpuUnits", cpuUnits, `one of ${known}`);
  }
  const [min, max, step] = sizes;
  const memoryGib = memoryMib / 1024;
  if (memoryGib < min || memoryGib > max || memoryGib % step !== 0) {
    const expected = `${min * 1024} to ${max * 1024} in steps of ${step * 1024} with ${cpuUnits} CPU units`;
    throw new EnvironmentConfigError("processors.memoryMib", memoryMib, expected);
  }
  within("processors.minTasks", minTasks, 0, 1_000);
  within("processors.maxTasks", maxTasks, Math.max(1, minTasks), 1_000);
  if (!Number.isInteger(10 * spotShare) || spotShare < 0 || spotShare > 1) {
    throw new EnvironmentConfigError("processors.spotShare", spotShare, "0 to 1 in steps of 0.1");
  }
  within(
    "processors.checkpointIntervalMs",
    checkpointIntervalMs,
    MIN_CHECKPOINT_INTERVAL_MS,
    LATENCY_TARGET_MS,
  );
  for (const [service, url] of Object.entries(serviceUrls)) {
    const expected = "an HTTPS URL without a slash at its end: the processors may call nothing else";
    matches(`processors.serviceUrls.${service}`, url, /^https:\/\/[^\s/]+(\/[^\s/]+)*$/, expected);
  }
}
