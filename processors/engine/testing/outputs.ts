/** What a pipeline wrote, taken apart so that a test can compare it. */
import {
  type DeadLetterContent,
  type DeadLetterReason,
  deadLetterHeaders,
  lateHeaders,
} from "../../../contracts/dead-letter.ts";
import type { ResultRecord } from "../../../contracts/results.ts";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../../contracts/topics.ts";
import type { OutputRecord } from "../log/port.ts";
import { type PipelineDefinition, seriesOf, stagesOf } from "../pipeline/definition.ts";

/** A result, or its retraction, without its version: that says which checkpoint wrote it. */
export type Emission<Value = unknown> = Omit<ResultRecord<Value>, "version">;

export interface LateRecord {
  /** The record's value as text. */
  readonly value: string;
  readonly lateByMs: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface DeadRecord {
  readonly reason: DeadLetterReason;
  /** What was wrong with it, in a sentence. */
  readonly detail: string;
  readonly content: DeadLetterContent;
  /** As text; null where the record had none. */
  readonly value: string | null;
}

const utf8 = new TextDecoder();

/** Results and retractions, in the order in which they were written. */
export function emissionsIn(
  definition: PipelineDefinition,
  outputs: readonly OutputRecord[],
): readonly Emission[] {
  const topics = new Set(seriesOf(definition).map(resultsTopic));
  return outputs
    .filter(({ topic }) => topics.has(topic))
    .map(({ value }) => {
      const { version: _, ...emission } = JSON.parse(utf8.decode(value!)) as ResultRecord;
      return emission;
    });
}

export function lateIn(
  definition: PipelineDefinition,
  outputs: readonly OutputRecord[],
): readonly LateRecord[] {
  const topics = new Set(stagesOf(definition).map(({ name }) => lateTopic(name)));
  return outputs
    .filter(({ topic }) => topics.has(topic))
    .map(({ value, headers }) => ({
      value: utf8.decode(value!),
      lateByMs: Number(headers[lateHeaders.lateByMs]),
      topic: headers[lateHeaders.topic]!,
      partition: Number(headers[lateHeaders.partition]),
      offset: Number(headers[lateHeaders.offset]),
    }));
}

export function deadIn(outputs: readonly OutputRecord[]): readonly DeadRecord[] {
  return outputs
    .filter(({ topic }) => topic === DEAD_LETTERS_TOPIC)
    .map(({ value, headers }) => ({
      reason: headers[deadLetterHeaders.reason] as DeadLetterReason,
      detail: headers[deadLetterHeaders.detail]!,
      content: headers[deadLetterHeaders.content] as DeadLetterContent,
      value: value && utf8.decode(value),
    }));
}
