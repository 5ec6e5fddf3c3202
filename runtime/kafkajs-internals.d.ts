/** The parts of kafkajs 2.2.4 that are corrected: how it decodes and judges a fetch (version 11, its newest). */
declare module "kafkajs/src/protocol/requests/fetch/v11/response.js" {
  interface FetchResponse {
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: (import("./read-committed.ts").FetchedPartition & {
        readonly partition: number;
        readonly errorCode: number;
      })[];
    }[];
  }
  const response: {
    decode(payload: Buffer): Promise<FetchResponse>;
    /** Rejects where the broker refused a partition. */
    parse(answer: FetchResponse): Promise<FetchResponse>;
  };
  export default response;
}

/** Its errors, which Node does not find among the names that kafkajs itself exports. */
declare module "kafkajs/src/errors.js" {
  const errors: Pick<typeof import("kafkajs"), "KafkaJSError" | "KafkaJSNonRetriableError">;
  export default errors;
}

/** How it encodes what it produces. */
declare module "kafkajs/src/protocol/requests/produce/index.js" {
  type ProduceRequest = import("./produce-encoding.ts").ProduceRequest;
  type Encoded = import("./produce-encoding.ts").Encoded;
  const produce: {
    protocol(wanted: { readonly version: number }): (options: ProduceRequest) => {
      readonly request: { encode(): Promise<Encoded> };
      readonly response: unknown;
    };
  };
  export default produce;
}

/** Its own encoder of the newest version, to compare with. */
declare module "kafkajs/src/protocol/requests/produce/v7/request.js" {
  export default function request(options: import("./produce-encoding.ts").ProduceRequest): {
    encode(): Promise<import("./produce-encoding.ts").Encoded>;
  };
}
