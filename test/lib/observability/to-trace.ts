/** What a role needs that writes spans; X-Ray's actions are of no resource. */
export const toTrace: readonly string[] = ["xray:PutSpans", "xray:PutSpansForIndexing"];
