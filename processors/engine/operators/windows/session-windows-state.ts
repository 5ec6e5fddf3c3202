/** The sessions that a task holds: those that still take elements, for each key in the order of their starts. */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { type Due, DueQueue } from "../../state/due-queue.ts";
import { KeyedStore, type ValueCodec } from "../../state/keyed-store.ts";
import type { SectionSchema } from "../../state/section.ts";
import { nextMultiple } from "../../windows/emission.ts";
import type { SessionWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { EarlyEmissions } from "./early-emissions.ts";
import { SessionWindows } from "./session-windows.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

/** [first, last + gap) */
export class Session {
  firstMs: number;
  lastMs: number;
  readonly row: Row;
  /** Its one valid place in the queue; set as soon as it is part of the state. */
  turn: Turn | undefined = undefined;

  constructor(firstMs: number, lastMs: number, row: Row) {
    this.firstMs = firstMs;
    this.lastMs = lastMs;
    this.row = row;
  }
}

/** When to look at a session. It may come too early: a session that goes on is not moved back at every element. */
export interface Turn extends Due {
  readonly session: Session;
}

export class SessionWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<SessionWindow>;
  readonly sessions: KeyedStore<Session[]>;
  readonly queue = new DueQueue<Turn>();
  readonly early: EarlyEmissions<Session>;
  /** As the snapshot has it, until everything is read. */
  #nextEarlyMs = Number.POSITIVE_INFINITY;

  constructor(definition: WindowsDefinition<SessionWindow>) {
    const { emit } = definition.emission;
    this.#definition = definition;
    this.sessions = new KeyedStore(codecOf(definition.rows, definition.rows.schema));
    this.early = new EarlyEmissions({
      after: (watermarkMs) =>
        emit.kind === "every" ? nextMultiple(emit.everyMs, watermarkMs) : Number.POSITIVE_INFINITY,
      compare: inFiringOrder,
    });
  }

  get entries(): number {
    return this.sessions.size;
  }

  get dueMs(): number {
    return Math.min(this.queue.dueMs, this.early.dueMs);
  }

  open(context: OperatorContext): Operator {
    return new SessionWindows(this.#definition, this, context);
  }

  /** When there is something to do for a session: to emit it, or to forget it. */
  dueOf({ lastMs, row }: Session): number {
    const { window, allowedLatenessMs } = this.#definition;
    return lastMs + window.gapMs + ((row[CHANGED] as number) > 0 ? 0 : allowedLatenessMs);
  }

  /**
   * Sees to it that the session's turn comes in time, and in the order of firing. One that comes too early is put off
   * when it comes, so most elements move nothing.
   */
  schedule(key: string, session: Session): void {
    const { turn, firstMs } = session;
    const dueMs = this.dueOf(session);
    if (turn !== undefined) {
      if (turn.dueMs < dueMs) return;
      if (turn.dueMs === dueMs && turn.startMs <= firstMs) return;
    }
    this.enqueue(key, session, dueMs);
  }

  /** Gives the session a turn in place of the one that it had. */
  enqueue(key: string, session: Session, dueMs: number): void {
    session.turn = { dueMs, startMs: session.firstMs, key, session };
    this.queue.push(session.turn);
  }

  /** Forgets a session. */
  remove(key: string, session: Session): void {
    session.turn = undefined;
    this.early.delete(session);
    const sessions = this.sessions.get(key)!;
    if (sessions.length === 1) {
      this.sessions.delete(key);
    } else {
      sessions.splice(sessions.indexOf(session), 1);
      this.sessions.touch(key);
    }
  }

  writeBase(writer: ByteWriter): void {
    writer.float64(this.early.dueMs);
    this.sessions.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.float64(this.early.dueMs);
    this.sessions.writeDelta(writer);
  }

  readBase(reader: ByteReader, written: SectionSchema): void {
    this.#nextEarlyMs = reader.float64();
    this.sessions.readBase(reader, codecOf(this.#definition.rows, written.aggregates));
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.#nextEarlyMs = reader.float64();
    this.sessions.readDelta(reader, codecOf(this.#definition.rows, written.aggregates));
  }

  restored(): void {
    const changed: Session[] = [];
    for (const [key, sessions] of this.sessions.entries()) {
      for (const session of sessions) {
        this.schedule(key, session);
        if ((session.row[CHANGED] as number) > 0) changed.push(session);
      }
    }
    if (this.#definition.emission.emit.kind === "every") this.early.restore(this.#nextEarlyMs, changed);
  }
}

/** @param written the aggregates of whoever wrote the rows that are read */
function codecOf(rows: RowLayout, written: SectionSchema["aggregates"]): ValueCodec<Session[]> {
  const readRow = rows.readerOf(written);
  return {
    write: (writer, sessions) => {
      writer.varint(sessions.length);
      for (const { firstMs, lastMs, row } of sessions) {
        writer.float64(firstMs);
        writer.float64(lastMs);
        rows.write(writer, row);
      }
    },
    // As long as it is: a list that grows has room for 16 more.
    read: (reader) =>
      Array.from(
        { length: reader.varint() },
        () => new Session(reader.float64(), reader.float64(), readRow(reader)),
      ),
  };
}

/** By end, then start, then key: ends are as far from the last elements everywhere. */
function inFiringOrder(a: Session, b: Session): number {
  if (a.lastMs !== b.lastMs) return a.lastMs - b.lastMs;
  if (a.firstMs !== b.firstMs) return a.firstMs - b.firstMs;
  return a.turn!.key < b.turn!.key ? -1 : 1;
}
