/** Correlations of plain JSON events, whose part is a field of theirs. */
import {
  type CorrelateOptions,
  type PipelineDefinition,
  pipeline,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { type Arrival, event, type Result, watermark } from "../scripted-run.ts";

const TOPIC = "parts";

export interface Part {
  readonly key: string;
  readonly t: number;
  /** `a`, `b`, `c`; anything else is none of the parts. */
  readonly part: string;
  readonly v?: number;
}

const is = (part: string) => (each: Part) => each.part === part;
export const parts = { a: is("a"), b: is("b"), c: is("c") };

export function correlating(
  options: Omit<CorrelateOptions<Part, typeof parts>, "all">,
  outOfOrderMs = 0,
): PipelineDefinition {
  return pipeline("correlated")
    .from(
      {
        topic: TOPIC,
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Part,
        time: ({ t }) => t,
      },
      { outOfOrderMs, dedupe: false },
    )
    .keyBy(({ key }) => key)
    .correlate({ ...options, all: parts })
    .toResults();
}

/** `k:a5 b3` is a part a at 5 and a part b at 3, both of key k; a number is a watermark. */
export function arrivals(...texts: readonly (string | number)[]): Arrival[] {
  return texts.flatMap((text) => {
    if (typeof text === "number") return [watermark(TOPIC, text)];
    const [key, list] = text.split(":") as [string, string];
    return list.split(" ").map((word) => event(TOPIC, { key, part: word[0], t: Number(word.slice(1)) }));
  });
}

export const arrivalsOf = (events: readonly Part[]): Arrival[] => [
  ...events.map((each) => event(TOPIC, each)),
  watermark(TOPIC, 1_000_000),
];

/** `k 3..13 a5 b3 c4` for what is complete, `k 3..13 a5 - missing b c` for what is not. */
export function lineOf({ key, window, value }: Result): string {
  const { missing, parts: found } = value as { missing: string[]; parts: Record<string, Part> };
  const present = Object.entries(found).map(([name, { t }]) => `${name}${t}`);
  const absent = missing.length === 0 ? [] : ["- missing", ...missing];
  return [key, `${window.start}..${window.end}`, ...present, ...absent].join(" ");
}
