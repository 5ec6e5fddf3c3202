/** What kafkajs' errors mean. It wraps a broker's answer once or more, so that its type may lie deep in the causes. */

/**
 * A newer producer has the id. Kafka answers the first to requests as old as those kafkajs makes, the second to
 * newer ones, which kafkajs 2.2.4 knows by number only.
 */
const FENCED_TYPES = new Set(["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"]);
const PRODUCER_FENCED_CODE = 90;

/** The coordinator is finishing the transaction before, or is moving to another broker: ask again. */
const COORDINATOR_BUSY_TYPES = new Set([
  "CONCURRENT_TRANSACTIONS",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
]);

interface BrokerAnswer {
  readonly retriable?: boolean;
  readonly type?: string;
  readonly code?: number | string;
}

export const isFenced = (error: unknown): boolean =>
  causes(error).some(({ type, code }) => FENCED_TYPES.has(type ?? "") || code === PRODUCER_FENCED_CODE);

export const isCoordinatorBusy = (error: unknown): boolean =>
  causes(error).some(({ type }) => COORDINATOR_BUSY_TYPES.has(type ?? ""));

/** What may work a moment later: a connection was lost, or a broker comes, goes or hands something over. */
export const isPassing = (error: unknown): boolean =>
  causes(error).some(({ retriable }) => retriable === true);

/** An error's message with those of its causes, for an error that wraps it. */
export const describe = (error: unknown): string =>
  [...new Set(causes(error).map((cause) => cause.message))].join("; ");

function causes(error: unknown): (Error & BrokerAnswer)[] {
  const found: Error[] = [];
  for (let cause = error; cause instanceof Error && !found.includes(cause); cause = cause.cause) {
    found.push(cause);
  }
  return found;
}
