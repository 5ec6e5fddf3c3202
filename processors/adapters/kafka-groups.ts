/** What a reset asks of Kafka, with kafkajs. */
import type { Admin, KafkaJSDeleteGroupsError } from "kafkajs";
import type { Groups } from "../engine/log/port.ts";

const NON_EMPTY_GROUP = 68;
const GROUP_ID_NOT_FOUND = 69;
/** Up to whatever the log holds. */
const ALL = "-1";

export class KafkaGroups implements Groups {
  readonly #admin: Admin;

  /** @param admin connected, and closed by the caller */
  constructor(admin: Admin) {
    this.#admin = admin;
  }

  async memberCount(group: string): Promise<number> {
    const { groups } = await this.#admin.describeGroups([group]);
    return groups.reduce((total, { members }) => total + members.length, 0);
  }

  async delete(group: string): Promise<boolean> {
    try {
      await this.#admin.deleteGroups([group]);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const codes = error.groups.map(({ errorCode }) => errorCode);
      if (codes.every((code) => code === GROUP_ID_NOT_FOUND)) return true;
      if (codes.includes(NON_EMPTY_GROUP)) return false;
      throw error;
    }
  }

  async truncate(topic: string): Promise<void> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    const partitions = offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition }) => ({ partition, offset: ALL }));
    if (partitions.length > 0) await this.#admin.deleteTopicRecords({ topic, partitions });
  }
}

/** By its name: kafkajs exports the class in a way that Node's module loader does not see. */
const isRefusal = (error: unknown): error is KafkaJSDeleteGroupsError =>
  error instanceof Error && error.name === "KafkaJSDeleteGroupsError";
