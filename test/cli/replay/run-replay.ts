/** Replays in this process, over files that are gone afterwards. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Answers } from "../../../cli/replay/answers.ts";
import { type OutputLine, OutputLines } from "../../../cli/replay/output-lines.ts";
import { type ReplayOptions, type ReplaySummary, replay } from "../../../cli/replay/replay.ts";
import { regular } from "../../../cli/replay/schedule.ts";
import { TopicLines } from "../../../cli/replay/topic-lines.ts";
import type { PipelineDefinition } from "../../../processors/engine/pipeline/definition.ts";

const DEFAULTS: Omit<ReplayOptions, "answers"> = {
  partitions: 1,
  checkpointEvery: 10_000,
  crashEvery: undefined,
  schedule: regular(1_000),
};

/** @param files the content of a file for each topic, in the order in which they are read */
export async function runReplay(
  definition: PipelineDefinition,
  files: Readonly<Record<string, string | Buffer>>,
  options: Partial<ReplayOptions> = {},
): Promise<{
  readonly text: string;
  readonly output: readonly OutputLine[];
  readonly summary: ReplaySummary;
}> {
  const folder = mkdtempSync(join(tmpdir(), "spillway-replay-"));
  const opened: number[] = [];
  const open = (path: string, flags: string) => {
    opened.push(openSync(path, flags));
    return opened.at(-1)!;
  };
  try {
    const inputs = Object.entries(files).map(([topic, content]) => {
      writeFileSync(join(folder, topic), content);
      return { topic, file: open(join(folder, topic), "r") };
    });
    const lines = new OutputLines(definition, open(join(folder, "output"), "w"));
    const all = { ...DEFAULTS, answers: new Answers(), ...options };
    const summary = await replay(
      definition,
      new TopicLines(inputs),
      lines,
      all,
      new AbortController().signal,
    );
    const text = readFileSync(join(folder, "output"), "utf8");
    const output = text.split("\n").slice(0, -1);
    return { text, output: output.map((line) => JSON.parse(line) as OutputLine), summary };
  } finally {
    for (const file of opened) closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
