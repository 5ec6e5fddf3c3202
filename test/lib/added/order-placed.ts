/** What somebody who forks the platform adds to contracts/events/, on a topic that contracts/topics.ts gains with it. */
import * as Type from "typebox";
import { defineEvent } from "../../../contracts/events/define.ts";
import type { TopicName } from "../../../contracts/topics.ts";

export const ORDERS_PARTITIONS = 3;

export const orders = { partitions: ORDERS_PARTITIONS, retentionMs: 86_400_000, priority: "normal" } as const;

export const orderPlaced = defineEvent({
  type: "order.placed",
  topic: "orders" as TopicName,
  data: Type.Object({ customer: Type.String(), amount: Type.Number() }),
  partitionKey: "customer",
  owner: "sales",
  classification: "confidential",
  futureBoundMs: 60_000,
});
