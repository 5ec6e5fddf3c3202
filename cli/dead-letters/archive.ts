/** The archive of dead letters of a running platform, on this machine or on AWS, and its redrive function. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  type AgedOutAnswer,
  type AgedOutBucket,
  type AgedOutRequest,
  parseAgedOut,
} from "../../contracts/aged-out.ts";
import type { RedriveAnswer, RedriveRequest } from "../../contracts/dead-letter-archive.ts";
import { environmentVariables } from "../../contracts/environment.ts";
import { AgedOutObjects } from "../../runtime/archive/aged-out-objects.ts";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { createS3Client } from "../../runtime/s3.ts";
import { UsageError } from "../command.ts";
import { controlBase, localState, named, variable } from "../deployment.ts";

export interface Archive {
  readonly index: ArchiveIndex;
  readonly objects: ArchiveObjects;
  readonly agedOut: AgedOutObjects;
  /** Undefined where nothing says which they are. */
  readonly agedOutBuckets: readonly AgedOutBucket[] | undefined;
  /** One call of the redrive function. Rejects with what it failed with. */
  redrive(request: RedriveRequest): Promise<RedriveAnswer>;
  /** The same, of batches that streams' mappings gave up. */
  redriveAgedOut(request: AgedOutRequest): Promise<AgedOutAnswer>;
}

/** Calls the redrive function. */
type Invoke = (request: RedriveRequest | AgedOutRequest) => Promise<unknown>;

/** What a command says of its connection in its help. */
export const ARCHIVE_HELP = `The archive is found by the environment variables ${environmentVariables.archiveTable}, ${environmentVariables.archiveBucket}, for
batches that aged out ${environmentVariables.agedOutBuckets}, for a redrive ${environmentVariables.redriveFunction} (its name), and the AWS
SDK's own; or

  --control URL     that of a platform on this machine, as \`spillway start\` prints it`;

/** Longer than one call of the function may take. */
const INVOKE_TIMEOUT_MS = 120_000;

/**
 * @param controlUrl of a platform on this machine; undefined: the environment variables say where it is
 * @throws UsageError where it cannot be found
 */
export async function openArchive(controlUrl: string | undefined): Promise<Archive> {
  const invoke = controlUrl === undefined ? invokeOnAws : await openLocal(controlUrl);
  const s3 = createS3Client();
  const agedOutBuckets = process.env[environmentVariables.agedOutBuckets];
  return {
    index: new ArchiveIndex(createDynamoDBClient(), variable("archiveTable")),
    objects: new ArchiveObjects(s3, variable("archiveBucket")),
    agedOut: new AgedOutObjects(s3),
    agedOutBuckets: agedOutBuckets ? parseAgedOut(agedOutBuckets) : undefined,
    redrive: async (request) => (await invoke(request)) as RedriveAnswer,
    redriveAgedOut: async (request) => (await invoke(request)) as AgedOutAnswer,
  };
}

/** Sets what the platform's own functions have, since the SDK takes its endpoints from the environment. */
async function openLocal(controlUrl: string): Promise<Invoke> {
  const { tables, buckets, functions, environment } = await localState(controlUrl);
  const [name, redriver] = Object.entries(functions).find(([label]) => label.startsWith("Redrive")) ?? [];
  if (name === undefined) throw new UsageError("the platform has no redrive function");
  Object.assign(process.env, environment, {
    [environmentVariables.archiveTable]: named(tables, "Archive"),
    [environmentVariables.archiveBucket]: named(buckets, "Archive"),
    [environmentVariables.agedOutBuckets]: redriver!.environment[environmentVariables.agedOutBuckets],
  });
  const url = `${controlBase(controlUrl)}/functions/${encodeURIComponent(name)}/invoke`;
  return (request) => invokeLocally(url, request);
}

/** How local/'s control server answers: as Lambda would have. */
type LocalAnswer =
  | { readonly kind: "answer"; readonly payload: string }
  | { readonly kind: "error"; readonly error: { readonly errorMessage: string } }
  | { readonly kind: "throttled" | "too-large" };

async function invokeLocally(url: string, request: RedriveRequest | AgedOutRequest): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(request) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  const answer = (await response.json()) as LocalAnswer;
  if (answer.kind === "answer") return JSON.parse(answer.payload);
  throw failed(answer.kind === "error" ? answer.error.errorMessage : answer.kind);
}

async function invokeOnAws(request: RedriveRequest | AgedOutRequest): Promise<unknown> {
  const FunctionName = variable("redriveFunction");
  // A call that is answered late must not be made again meanwhile: one redrive at a time is what the function allows.
  const client = new LambdaClient({
    maxAttempts: 1,
    requestHandler: { requestTimeout: INVOKE_TIMEOUT_MS, throwOnRequestTimeout: true },
  });
  const command = new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(request)) });
  const { FunctionError, Payload } = await client.send(command);
  const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString());
  if (FunctionError === undefined) return answer;
  throw failed((answer as { readonly errorMessage?: string }).errorMessage ?? FunctionError);
}

const failed = (why: string): Error =>
  new Error(
    `The redrive function failed: ${why}. What it was at is in the state redriving; docs/runbooks/dead-letters.md says what to do.`,
  );
