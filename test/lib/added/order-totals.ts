/** What they add to processors/pipelines/: written as a team writes it, with the DSL. */
import {
  count,
  events,
  HOUR_MS,
  MINUTE_MS,
  pipeline,
  sum,
  tumbling,
} from "../../../processors/engine/pipeline/dsl.ts";
import { orderPlaced } from "./order-placed.ts";

export const orderTotals = pipeline("order-totals")
  .from(events(orderPlaced), { outOfOrderMs: MINUTE_MS })
  .keyBy((order) => order.data.customer)
  .window(tumbling({ sizeMs: HOUR_MS }))
  .aggregate({ orders: count(), amount: sum((order) => order.data.amount) })
  .toResults();
