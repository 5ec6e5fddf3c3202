/** The files that `--input` names, opened for the topics that a pipeline reads. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { UsageError } from "../command.ts";
import type { TopicFile } from "./topic-lines.ts";

/**
 * Opens each file, in the order of the topics, then of the options.
 * @param inputs a path, where the pipeline reads one topic; else `<topic>=<path>` each
 * @throws UsageError where a topic has no file, or a file cannot be read
 */
export function openInputs(topics: readonly string[], inputs: readonly string[]): readonly TopicFile[] {
  const named = inputs
    .map((input) => fileOf(topics, input))
    .sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic));
  const missing = topics.find((topic) => !named.some((file) => file.topic === topic));
  if (missing !== undefined) throw new UsageError(`replay needs --input: ${howTo(topics)}`);
  const files: TopicFile[] = [];
  try {
    for (const { topic, path } of named) files.push({ topic, file: open(path) });
  } catch (error) {
    closeAll(files);
    throw error;
  }
  return files;
}

export function closeAll(files: readonly TopicFile[]): void {
  for (const { file } of files) closeSync(file);
}

function fileOf(topics: readonly string[], input: string): { topic: string; path: string } {
  const topic = topics.find((each) => input.startsWith(`${each}=`));
  if (topic !== undefined) return { topic, path: input.slice(topic.length + 1) };
  if (topics.length === 1) return { topic: topics[0]!, path: input };
  throw new UsageError(`--input ${input} does not say which topic it is: ${howTo(topics)}`);
}

const howTo = (topics: readonly string[]): string =>
  topics.length === 1
    ? "--input <file>, with a record value a line"
    : `the pipeline reads ${topics.join(" and ")}; give ${topics.map((topic) => `--input ${topic}=<file>`).join(" ")}`;

/** A crash goes back in the file, so it must be one. */
function open(path: string): number {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new UsageError(`--input ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new UsageError(
    `--input ${path} is not a file: a crash reads lines again, which a pipe cannot give twice`,
  );
}
