/** The part of kafkajs 2.2.4 that read-committed.ts corrects: how it decodes a fetch (version 11, its newest). */
declare module "kafkajs/src/protocol/requests/fetch/v11/response.js" {
  interface FetchResponse {
    readonly responses: readonly { readonly partitions: import("./read-committed.ts").FetchedPartition[] }[];
  }
  const response: { decode(payload: Buffer): Promise<FetchResponse> };
  export default response;
}
