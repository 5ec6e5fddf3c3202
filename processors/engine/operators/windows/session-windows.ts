/** Session windows at work. */
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import type { EmitPolicy } from "../../windows/emission.ts";
import type { SessionWindow } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import { PaneWriter } from "./pane-writer.ts";
import { Session, type SessionWindowsState, type Turn } from "./session-windows-state.ts";
import { StagingOperator } from "./staging-operator.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class SessionWindows extends StagingOperator {
  readonly #gapMs: number;
  readonly #allowedLatenessMs: number;
  readonly #state: SessionWindowsState;
  readonly #rows: RowLayout;
  readonly #emit: EmitPolicy["kind"];
  readonly #panes: PaneWriter;

  constructor(
    definition: WindowsDefinition<SessionWindow>,
    state: SessionWindowsState,
    context: OperatorContext,
  ) {
    const { series, rows, emission, window, allowedLatenessMs } = definition;
    super(rows);
    this.#gapMs = window.gapMs;
    this.#allowedLatenessMs = allowedLatenessMs;
    this.#state = state;
    this.#rows = rows;
    this.#emit = emission.emit.kind;
    this.#panes = new PaneWriter(series, rows, emission.panes, context);
  }

  get dueMs(): number {
    return this.#state.dueMs;
  }

  fire(watermarkMs: number, maxSteps: number): number {
    const { queue, early } = this.#state;
    let steps = 0;
    for (; steps < maxSteps && queue.dueMs <= watermarkMs; steps++) this.#take(queue.pop()!);
    if (queue.dueMs <= watermarkMs) return steps;
    const emit = (session: Session) => this.#emitSession(session.turn!.key, session);
    return steps + early.fire(watermarkMs, maxSteps - steps, emit);
  }

  /**
   * Adds an element to its session: one that it extends or falls into, two that it joins, or a new one. It is late
   * by the end that this session has with it.
   */
  protected place(index: number, watermarkMs: number): number {
    const key = this.staged.keys[index]!;
    const timeMs = this.staged.timesMs[index]!;
    const sessions = this.#state.sessions.get(key);
    const at = sessions === undefined ? 0 : this.#firstReaching(sessions, timeMs);
    const session = this.#touching(sessions?.[at], timeMs);
    const next = session === undefined ? undefined : this.#touching(sessions![at + 1], timeMs);
    const lastMs = Math.max(timeMs, (next ?? session ?? NONE).lastMs);
    const lateByMs = watermarkMs - (lastMs + this.#gapMs + this.#allowedLatenessMs);
    if (lateByMs >= 0) return lateByMs;
    if (session === undefined) {
      this.#add(index, key, this.#open(key, timeMs, sessions, at), watermarkMs);
    } else {
      if (next !== undefined) this.#join(key, session, next);
      else if (timeMs < session.firstMs || timeMs > session.lastMs) this.#extend(key, session, timeMs);
      this.#add(index, key, session, watermarkMs);
    }
    return COUNTED;
  }

  needsRow(key: string): boolean {
    return this.#state.sessions.get(key) === undefined;
  }

  protected rehearse(index: number): void {
    const timeMs = this.staged.timesMs[index]!;
    const sessions = this.#state.sessions.get(this.staged.keys[index]!) ?? [];
    const at = this.#firstReaching(sessions, timeMs);
    const touched = [sessions[at], sessions[at + 1]].filter((session) => this.#touching(session, timeMs));
    this.staged.rehearse(index, touched.length === 0 ? [undefined] : touched.map((session) => session?.row));
  }

  /** Index of the first session that the element does not come more than a gap after. Most come near the end. */
  #firstReaching(sessions: readonly Session[], timeMs: number): number {
    let at = sessions.length;
    while (at > 0 && sessions[at - 1]!.lastMs + this.#gapMs >= timeMs) at -= 1;
    return at;
  }

  /** The session, unless it begins more than a gap after the element. */
  #touching(session: Session | undefined, timeMs: number): Session | undefined {
    return session !== undefined && session.firstMs - this.#gapMs <= timeMs ? session : undefined;
  }

  #open(key: string, timeMs: number, sessions: Session[] | undefined, at: number): Session {
    const session = new Session(timeMs, timeMs, this.#rows.create());
    if (sessions === undefined) this.#state.sessions.set(key, [session]);
    else sessions.splice(at, 0, session);
    return session;
  }

  #extend(key: string, session: Session, timeMs: number): void {
    this.#replace(key, session);
    if (timeMs < session.firstMs) session.firstMs = timeMs;
    else session.lastMs = timeMs;
  }

  /** The first session takes in the one that follows it. */
  #join(key: string, session: Session, next: Session): void {
    this.#replace(key, session);
    this.#replace(key, next);
    this.#rows.merge(session.row, next.row);
    session.lastMs = next.lastMs;
    this.#state.remove(key, next);
  }

  #replace(key: string, { firstMs, lastMs, row }: Session): void {
    this.#panes.replace(key, firstMs, lastMs + this.#gapMs, row);
  }

  #add(index: number, key: string, session: Session, watermarkMs: number): void {
    const { row } = session;
    this.#rows.add(row, this.staged.values, this.staged.at(index), this.staged.timesMs[index]!);
    row[CHANGED] = 1;
    this.#state.sessions.touch(key);
    // A session that is closed and still takes elements emits each update at once.
    const closed = session.lastMs + this.#gapMs <= watermarkMs;
    if (closed || this.#emit === "on-update") this.#emitSession(key, session);
    else if (this.#emit === "every") this.#state.early.add(session, watermarkMs);
    this.#state.schedule(key, session);
  }

  /** A session's turn: it has closed, or its lateness is over, or it went on and the turn is put off. */
  #take(turn: Turn): void {
    const { session, key } = turn;
    if (session.turn !== turn) return;
    const dueMs = this.#state.dueOf(session);
    if (dueMs > turn.dueMs) {
      this.#state.enqueue(key, session, dueMs);
    } else if (session.row[CHANGED] === 0) {
      this.#state.remove(key, session);
    } else {
      this.#emitSession(key, session);
      if (this.#allowedLatenessMs === 0) this.#state.remove(key, session);
      else this.#state.enqueue(key, session, this.#state.dueOf(session));
    }
  }

  #emitSession(key: string, session: Session): void {
    const { firstMs, lastMs, row } = session;
    this.#panes.emit(key, firstMs, lastMs + this.#gapMs, row);
    this.#state.sessions.touch(key);
    this.#state.early.delete(session);
  }
}

const NONE = { lastMs: Number.NEGATIVE_INFINITY };
