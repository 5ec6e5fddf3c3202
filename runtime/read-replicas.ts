/**
 * Makes kafkajs 2.2.4 read from followers without depending on them (KIP-392). The leader of a partition sends a consumer
 * that says its rack to a follower there, and kafkajs then asks that one for five minutes, whatever becomes of it: to see
 * whether it is away it looks for the leader among those that are, and where it refuses a position, it looks for the note of
 * where it had been sent in a form that it has not. So a broker that restarts would stop its readers for minutes.
 *
 * Here every fetch that fails ends all of this for a while: the leaders are not told the rack, and answer themselves.
 * Importing this module is enough; consumers without a rack see no difference.
 */
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";

/** As long as a broker that is away, or behind, may still count as in sync: MSK's `replica.lag.time.max.ms`. */
const LEADERS_ONLY_MS = 30_000;

interface Withheld {
  readonly rackId: string;
  readonly untilMs: number;
}

const withheld = new WeakMap<ConsumerGroup, Withheld>();
const { fetch, recoverFromFetch } = ConsumerGroup.prototype;

ConsumerGroup.prototype.fetch = function (nodeId) {
  const rack = withheld.get(this);
  if (rack !== undefined && performance.now() >= rack.untilMs) {
    this.rackId = rack.rackId;
    withheld.delete(this);
  }
  return fetch.call(this, nodeId);
};

ConsumerGroup.prototype.recoverFromFetch = function (error) {
  this.preferredReadReplicasPerTopicPartition = {};
  if (this.rackId !== "") {
    withheld.set(this, { rackId: this.rackId, untilMs: performance.now() + LEADERS_ONLY_MS });
    this.rackId = "";
  }
  return recoverFromFetch.call(this, error);
};
