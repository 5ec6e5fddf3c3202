import { KafkaJSError } from "kafkajs";

const POLL_MS = 5;

/**
 * Resolves with the first value that is defined; asks again until then, also where Kafka answers that it may be asked
 * again, as it does while a coordinator comes up. The test's timeout bounds it.
 */
export async function eventually<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await answer(ask);
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function answer<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KafkaJSError && error.retriable) return undefined;
    throw error;
  }
}
