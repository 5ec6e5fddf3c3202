/** The step `join`. */

import type { DeepReadonly } from "../operators/frozen-json.ts";
import { JoinDefinition } from "../operators/join/join-definition.ts";
import type { OperatorDefinition } from "../operators/operator.ts";
import { requireDuration, requireFunction, requireOneOf } from "./checks.ts";
import { rightInputOf } from "./side-stream.ts";
import type { StreamParts } from "./stream-parts.ts";

/** How far apart the times of a pair may be, in milliseconds, both ends inclusive. */
interface JoinBounds {
  /** How far the right event may come before the left one. */
  readonly beforeMs: number;
  /** How far the right event may come after the left one. */
  readonly afterMs: number;
}

/** `combine` says what a result is, an object of plain JSON. */
export type JoinOptions<Left, Right, Result extends object = object> =
  | (JoinBounds & {
      readonly kind: "inner";
      readonly combine: (left: DeepReadonly<Left>, right: DeepReadonly<Right>) => Result;
    })
  | (JoinBounds & {
      /** A left event is emitted alone once no right one can come for it any more. */
      readonly kind: "left";
      readonly combine: (left: DeepReadonly<Left>, right: DeepReadonly<Right> | undefined) => Result;
    });

/** @throws PipelineError where an option cannot be */
export function joinOperator<Left, Right>(
  stream: StreamParts,
  series: string,
  { kind, beforeMs, afterMs, combine }: JoinOptions<Left, Right>,
): OperatorDefinition {
  const { name } = stream;
  requireOneOf(name, "join.kind", kind, ["inner", "left"]);
  requireFunction(name, "join.combine", combine);
  requireDuration(name, "join.beforeMs", beforeMs, 0);
  requireDuration(name, "join.afterMs", afterMs, 0);
  return new JoinDefinition({
    series,
    kind,
    beforeMs,
    afterMs,
    rightInput: rightInputOf(stream),
    combine: combine as (left: unknown, right: unknown) => unknown,
  });
}
