/** GET /backpressure: the load of each topic, and the highest of them. */
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { BACKPRESSURE_HEADER, IDLE, type LoadSignal, loadOfTopics } from "../../contracts/signals.ts";
import { topics } from "../../contracts/topics.ts";

export function backpressureAnswer(
  signals: readonly LoadSignal[],
  nowMs: number,
): APIGatewayProxyStructuredResultV2 {
  const loads = loadOfTopics(signals, nowMs);
  const highest = Math.max(IDLE, ...loads.values());
  const byTopic = Object.keys(topics).map((topic) => [topic, round(loads.get(topic) ?? IDLE)]);
  return {
    statusCode: 200,
    headers: {
      "content-type": "application/json",
      // A cache would tell of a load that has passed.
      "cache-control": "no-store",
      [BACKPRESSURE_HEADER]: highest.toFixed(2),
    },
    body: JSON.stringify({ backpressure: round(highest), topics: Object.fromEntries(byTopic) }),
  };
}

const round = (load: number): number => Math.round(load * 100) / 100;
