/** Sheds load: sends accepted events to Kafka, to the spillway or back, by their topic's priority and its load. */
import { IDLE, type Route, routeOf, type SheddingThresholds } from "../../contracts/signals.ts";
import { type TopicName, topics } from "../../contracts/topics.ts";
import { makeProblem } from "../../runtime/problem.ts";
import type { Judgement, OutgoingEvent } from "./judge.ts";
import { ingestProblems } from "./problems.ts";

/** When a sender may come back: what waits has shrunk a little by then, and signals are twice as old at most. */
export const OVERLOADED_RETRY_AFTER_S = 10;

export interface Shed {
  /** With those that are refused for the load turned into refusals. */
  readonly judgements: readonly Judgement[];
  readonly forKafka: readonly OutgoingEvent[];
  readonly forSpillway: readonly OutgoingEvent[];
  readonly overloaded: number;
  /** The highest load of the topics that the events go to; where none was accepted, of all topics. */
  readonly backpressure: number;
}

export function shed(
  judgements: readonly Judgement[],
  loads: ReadonlyMap<string, number>,
  shedding: SheddingThresholds,
): Shed {
  const routed: Readonly<Record<Exclude<Route, "refuse">, OutgoingEvent[]>> = { kafka: [], spillway: [] };
  const concerned = new Set<string>();
  let overloaded = 0;
  const outcomes = judgements.map((judgement) => {
    const { accepted } = judgement;
    if (accepted === undefined) return judgement;
    concerned.add(accepted.topic);
    const load = loads.get(accepted.topic) ?? IDLE;
    const route = routeOf(topics[accepted.topic as TopicName].priority, load, shedding);
    if (route !== "refuse") {
      routed[route].push(accepted);
      return judgement;
    }
    overloaded += 1;
    return refusal(judgement, load);
  });
  const of =
    concerned.size > 0 ? [...concerned].map((topic) => loads.get(topic) ?? IDLE) : [...loads.values()];
  return {
    judgements: outcomes,
    forKafka: routed.kafka,
    forSpillway: routed.spillway,
    overloaded,
    backpressure: Math.max(IDLE, ...of),
  };
}

function refusal({ index, id }: Judgement, load: number): Judgement {
  const detail = `What the event goes to has ${load.toFixed(2)} times the work that it may have waiting. Send it again after ${OVERLOADED_RETRY_AFTER_S} s, and less at a time.`;
  const place = { index, ...(id === undefined ? {} : { id }) };
  return { index, id, refused: makeProblem(ingestProblems.overloaded, detail, place) };
}
