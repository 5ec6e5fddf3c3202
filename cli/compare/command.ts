/** `spillway compare`: whether two pipelines, or two versions of one, have come to the same results. */
import type { Kafka } from "kafkajs";
import type { ResultRecord } from "../../contracts/results.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { type Command, parseOptions, UsageError } from "../command.ts";
import { readTopic } from "../demo/topic-reader.ts";
import { DEPLOYMENT_HELP, withDeployment } from "../deployment.ts";
import { type Comparison, compareResults, Results, type TimeRange } from "./results.ts";

const help = `Usage: spillway compare <pipeline> <other> [options]

Reads the results topics of two pipelines to their present end and compares the newest result of every window and key,
in the fields that both have. Of a branch write <pipeline>.<branch>. Exits with 1 if anything differs.

${DEPLOYMENT_HELP}
  --from T          only windows that begin then or later, such as 2026-01-31T00:00:00Z
  --until T         only windows that end then or earlier: what both have closed
  --help            this text`;

export const compare: Command = {
  help,
  run: async ([first, second, ...args], signal) => {
    const values = parseOptions(args, {
      from: { type: "string" },
      until: { type: "string" },
      control: { type: "string" },
    });
    if (first === undefined || second === undefined || first.startsWith("-") || second.startsWith("-")) {
      throw new UsageError("say which two pipelines");
    }
    const range = {
      fromMs: timeOf("from", values.from) ?? Number.NEGATIVE_INFINITY,
      untilMs: timeOf("until", values.until) ?? Number.POSITIVE_INFINITY,
    };
    return withDeployment(values.control, async ({ kafka }) => {
      const read = (series: string) => readResults(kafka, series, range, signal);
      const comparison = compareResults(await read(first), await read(second));
      console.log(report(first, second, comparison));
      return comparison.different + comparison.onlyFirst + comparison.onlySecond === 0 ? 0 : 1;
    });
  },
};

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw new UsageError(`--${name} takes a time such as 2026-01-31T00:00:00Z`);
  return timeMs;
}

async function readResults(
  kafka: Kafka,
  series: string,
  range: TimeRange,
  signal: AbortSignal,
): Promise<Results> {
  const results = new Results(range);
  const onRecords: Parameters<typeof readTopic>[2] = ({ messages }) => {
    for (const { value } of messages) results.add(JSON.parse(value!.toString()) as ResultRecord);
  };
  await readTopic(kafka, resultsTopic(series), onRecords, signal);
  return results;
}

function report(first: string, second: string, comparison: Comparison): string {
  const { equal, different, onlyFirst, onlySecond, leftOut, examples } = comparison;
  return [
    `${equal} results are equal, ${different} differ, ${onlyFirst} are only in ${first}, ` +
      `${onlySecond} only in ${second}`,
    ...(leftOut.length === 0 ? [] : [`not compared, as only one has them: ${leftOut.join(", ")}`]),
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}
