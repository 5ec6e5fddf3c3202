/** The whole platform on this machine: the synthesized assembly, run by local/. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentVariables } from "../../contracts/environment.ts";
import { type Child, exitOf, signalGroup, startChild } from "./child.ts";
import { Control } from "./control.ts";
import { rootPath, synthesize } from "./synthesize.ts";

/** How long local/ may take to stop everything before its process group is killed. */
const STOP_TIMEOUT_MS = 30_000;

export interface Platform {
  readonly control: Control;
  readonly bootstrapServers: string;
  /** Base URLs of the two HTTP APIs, without a slash at their end. */
  readonly ingestUrl: string;
  readonly queryUrl: string;
  /** Names of the services that run. */
  readonly services: readonly string[];
  /** Names by logical id. */
  readonly tables: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<string, string>>;
  /** Its `logs` holds a file for every process. It is gone when the platform has stopped. */
  readonly runDirectory: string;
  /** Region, credentials and endpoints, as an AWS client reads them from the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Aborts when the platform ends unasked or the run is stopped; the reason says which. */
  readonly signal: AbortSignal;
}

export interface PlatformOptions {
  /** 1 or 3. */
  readonly brokers: number;
  /** The CDK app that is synthesized, from the repository's root. @default the platform's own */
  readonly app?: string;
  /** Whether functions are fed from topics, queues and streams. @default true */
  readonly mappings?: boolean;
  /** Whether the clock closes the windows of silent partitions. Off where old events are replayed. @default true */
  readonly idleTicks?: boolean;
  readonly signal: AbortSignal;
  /** Called with what is being done, and with what local/ has to say. */
  readonly log: (line: string) => void;
}

/**
 * Synthesizes into a temporary folder, starts local/ on it, calls `use`, and stops everything, whatever happens:
 * no process and no file stays behind. Rejects with `use`'s error, or with one that holds the last lines of whatever
 * ended unasked.
 */
export async function withPlatform<T>(
  options: PlatformOptions,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  const { signal, log } = options;
  const folder = await mkdtemp(join(tmpdir(), "spillway-"));
  try {
    log("synthesizing the CDK app");
    const assembly = join(folder, "cdk.out");
    await synthesize(assembly, signal, options.app);
    log("starting the assembly on this machine");
    return await runAssembly(assembly, options, use);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAssembly<T>(
  assembly: string,
  { brokers, mappings = true, idleTicks = true, signal, log }: PlatformOptions,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  const failure = new AbortController();
  const running = AbortSignal.any([signal, failure.signal]);
  const ready = Promise.withResolvers<Ready>();
  const local = startChild(
    [
      join(rootPath, "local/main.ts"),
      "--assembly",
      assembly,
      "--until-stdin-ends",
      "--brokers",
      String(brokers),
      ...(mappings ? [] : ["--without-mappings"]),
      ...(idleTicks ? [] : ["--set", `${environmentVariables.idleTicks}=off`]),
    ],
    { onErrorLine: log, onLine: (line) => takeReady(line, ready) },
  );
  void local.ended.then(() => {
    const lines = [`the local platform ${exitOf(local.process)}. Its last lines:`, ...local.lastLines];
    failure.abort(new Error(lines.join("\n")));
  });
  try {
    const platform = await untilAborted(ready.promise, running);
    return await use(platformOf(platform, running));
  } catch (error) {
    // Whatever was under way then fails with an error of its own; why it had to is what counts.
    throw running.aborted ? running.reason : error;
  } finally {
    await stopLocal(local);
  }
}

/** What local/ prints when it is up: the part that is used. */
interface Ready
  extends Pick<
    Platform,
    "bootstrapServers" | "services" | "tables" | "buckets" | "environment" | "runDirectory"
  > {
  readonly ready: boolean;
  readonly controlUrl: string;
  /** Base URL by route, such as `POST /events`. */
  readonly routes: Readonly<Record<string, string>>;
}

function takeReady(line: string, { resolve }: { resolve: (ready: Ready) => void }): void {
  if (!line.startsWith("{")) return;
  const parsed = JSON.parse(line) as Ready;
  if (parsed.ready) resolve(parsed);
}

function platformOf({ controlUrl, routes, ...ready }: Ready, signal: AbortSignal): Platform {
  const urlOf = (route: string): string => {
    const url = routes[route];
    if (url === undefined) throw new Error(`the local platform serves no route ${route}`);
    return url.replace(/\/$/, "");
  };
  return {
    ...ready,
    control: new Control(controlUrl, signal),
    ingestUrl: urlOf("POST /events"),
    queryUrl: urlOf("GET /results/{pipeline}/{key}"),
    signal,
  };
}

/** Ending its stdin asks local/ to stop; it does so too if this process dies without asking. */
async function stopLocal(local: Child): Promise<void> {
  local.process.stdin?.end();
  const timer = setTimeout(() => signalGroup(local.process, "SIGKILL"), STOP_TIMEOUT_MS);
  await local.ended;
  clearTimeout(timer);
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
