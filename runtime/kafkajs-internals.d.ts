/** The parts of kafkajs 2.2.4 that are corrected: how it decodes and judges a fetch (version 11, its newest). */
declare module "kafkajs/src/protocol/requests/fetch/v11/response.js" {
  export interface FetchResponse {
    readonly throttleTime: number;
    readonly clientSideThrottleTime: number;
    readonly errorCode: number;
    readonly sessionId: number;
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

/** Its reader of answers. */
declare module "kafkajs/src/protocol/decoder.js" {
  export default class Decoder {
    constructor(payload: Buffer);
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string;
    /** Its length goes before it; null where that is -1. */
    readBytes(): Buffer | null;
    readArray<Item>(read: (decoder: Decoder) => Item): Item[];
    readArrayAsync<Item>(read: (decoder: Decoder) => Promise<Item>): Promise<Item[]>;
  }
}

/** Its codecs; those that it has none for throw. */
declare module "kafkajs/src/protocol/message/compression/index.js" {
  const compression: {
    /** Null where the attributes say that nothing is compressed. */
    lookupCodecByAttributes(attributes: number): { decompress(bytes: Buffer): Promise<Buffer> } | null;
  };
  export default compression;
}

/** Where a consumer decides which broker it fetches from, and what follows where that fails. */
declare module "kafkajs/src/consumer/consumerGroup.js" {
  export default class ConsumerGroup {
    /** Empty: none. */
    rackId: string;
    /** Where leaders have sent it, by topic and partition. */
    preferredReadReplicasPerTopicPartition: Record<string, unknown>;
    fetch(nodeId: number): Promise<unknown>;
    recoverFromFetch(error: Error): Promise<void>;
  }
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
