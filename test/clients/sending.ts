/** A sender against a scripted door, in virtual time. */
import { type GivenUp, Sender, type SenderOptions } from "../../clients/sender.ts";
import type { CloudEvent } from "../../contracts/cloudevent.ts";
import { type Behaviour, FakeDoor } from "./fake-door.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const event = (id: string, note = ""): CloudEvent => ({
  specversion: "1.0",
  id,
  source: "/airlines/test",
  type: "flight.departed",
  time: "2001-01-31T23:59:59Z",
  partitionkey: "ATL",
  data: { origin: "ATL", destination: "ORD", delayMin: 12, distanceMi: 606, note },
});

export interface Ended {
  readonly id: string;
  readonly atMs: number;
  readonly givenUp?: GivenUp;
}

export class Sending {
  readonly clock = new VirtualClock();
  readonly door: FakeDoor;
  readonly sender: Sender;
  /** Of each event, in the order in which they ended. */
  readonly ended: Ended[] = [];

  constructor(script: readonly Behaviour[], options: Partial<SenderOptions> = {}, random = () => 0.5) {
    this.door = new FakeDoor(this.clock, script);
    this.sender = new Sender({
      url: "https://door.test/events",
      onDelivered: (events) => {
        for (const { id } of events) this.ended.push({ id, atMs: this.clock.nowMs() });
      },
      onGivenUp: ({ id }, givenUp) => this.ended.push({ id, atMs: this.clock.nowMs(), givenUp }),
      ports: { fetch: this.door.fetch, clock: this.clock, random },
      ...options,
    });
  }

  /** Sends events with the ids 0 to count - 1 and closes; returns when all have ended. */
  async sendAll(count: number, closeMs = 3_600_000): Promise<void> {
    for (let index = 0; index < count; index++)
      await this.clock.until(this.sender.send(event(String(index))));
    await this.clock.until(this.sender.close(closeMs));
  }

  get delivered(): readonly string[] {
    return this.ended.filter(({ givenUp }) => givenUp === undefined).map(({ id }) => id);
  }

  get givenUp(): readonly (GivenUp & { id: string })[] {
    return this.ended.flatMap(({ id, givenUp }) => (givenUp === undefined ? [] : { id, ...givenUp }));
  }

  /** Sizes of the batches, in order. */
  get batches(): readonly number[] {
    return this.door.requests.map(({ ids }) => ids.length);
  }
}
