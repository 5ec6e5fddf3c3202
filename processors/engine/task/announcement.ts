/** What the tasks of one stage tell those of the next of how far they have come: in-band watermark records. */
import {
  WATERMARK_HEADER,
  WATERMARK_IDLE_HEADER,
  WATERMARK_TASK_HEADER,
} from "../../../contracts/dead-letter.ts";
import type { RecordBatch } from "../log/port.ts";
import { Rejection } from "./rejection.ts";

export interface Announcement {
  /** The task that speaks, and how many of its kind there are. */
  readonly task: number;
  readonly tasks: number;
  /** Minus infinity where it has had no event. */
  readonly watermarkMs: number;
  /** Whether its inputs are all silent, so that it holds nobody back. */
  readonly idle: boolean;
}

export function announcementHeaders({
  task,
  tasks,
  watermarkMs,
  idle,
}: Announcement): Record<string, string> {
  return {
    [WATERMARK_HEADER]: String(watermarkMs),
    [WATERMARK_TASK_HEADER]: `${task}/${tasks}`,
    ...(idle ? { [WATERMARK_IDLE_HEADER]: "1" } : {}),
  };
}

/** @throws Rejection where no task of a stage upstream wrote the record */
export function announcementIn(batch: RecordBatch, index: number): Announcement {
  const [task = -1, tasks = -1] = (batch.header(index, WATERMARK_TASK_HEADER) ?? "").split("/").map(Number);
  const watermarkMs = Number(batch.header(index, WATERMARK_HEADER));
  const isTask = Number.isSafeInteger(task) && Number.isSafeInteger(tasks) && 0 <= task && task < tasks;
  if (!isTask || Number.isNaN(watermarkMs) || watermarkMs === Number.POSITIVE_INFINITY) {
    throw new Rejection("undecodable", "the watermark record is not one of the stage upstream");
  }
  return { task, tasks, watermarkMs, idle: batch.header(index, WATERMARK_IDLE_HEADER) !== undefined };
}
