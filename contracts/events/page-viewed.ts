import * as Type from "typebox";
import { defineEvent } from "./define.ts";

/**
 * A page was shown to a user. It is on a topic of its own: page views come by the hundred for each login or payment,
 * nobody correlates them with those, and under load they are what to shed first. The key is the user, so that a
 * session is put together by one task.
 */
export const pageViewed = defineEvent({
  type: "page.viewed",
  topic: "clickstream",
  data: Type.Object({
    userId: Type.String({ minLength: 1, maxLength: 128, description: "the user's stable id" }),
    path: Type.String({
      pattern: "^/[^?#]*$",
      maxLength: 2_048,
      description: "the URL's path; never its query, which may hold what is personal",
    }),
    referrerHost: Type.Optional(
      Type.String({ minLength: 1, maxLength: 253, description: "the site it was reached from, if another" }),
    ),
    device: Type.Union([Type.Literal("desktop"), Type.Literal("mobile"), Type.Literal("tablet")]),
  }),
  partitionKey: "userId",
  owner: "web-analytics",
  classification: "personal",
  futureBoundMs: 5 * 60_000,
});
