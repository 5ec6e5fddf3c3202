/**
 * What must come out of windows, calculated the slow way: after each record everything is derived anew from all that
 * ever counted. Shares no code with the engine.
 */

export interface Element {
  readonly id: string;
  readonly key: string;
  readonly t: number;
}

/** A window as it would be emitted now. */
export interface Window {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly elements: readonly Element[];
}

export interface Emissions {
  readonly emit: "on-close" | "on-update" | { readonly everyMs: number };
  readonly discarding: boolean;
}

/** What a kind of window has to say; everything is given all elements that counted, in the order of arrival. */
export interface Kind {
  /** By how much an element is late; negative: it is not. */
  lateBy(element: Element, counted: readonly Element[], watermarkMs: number): number;
  /** The windows that there are. */
  windows(counted: readonly Element[]): Window[];
  /** The elements that are still remembered. */
  remembered(counted: readonly Element[], watermarkMs: number): Element[];
  /** How long after its end a window may change. */
  readonly allowedLatenessMs: number;
}

export type Item = Element | { readonly watermarkMs: number };

/** The emissions of each window that is, by its name; one that is no more is taken out. */
class Ledger {
  readonly log: string[] = [];
  readonly #revisions = new Map<string, number>();
  readonly #shown = new Map<string, string>();
  /** Elements that some pane has shown. */
  readonly #spent = new Set<string>();
  readonly #discarding: boolean;

  constructor(discarding: boolean) {
    this.#discarding = discarding;
  }

  isChanged(window: Window): boolean {
    return this.#discarding
      ? this.#ids(window) !== ""
      : this.#shown.get(nameOf(window)) !== this.#ids(window);
  }

  emit(window: Window): void {
    const name = nameOf(window);
    const revision = (this.#revisions.get(name) ?? 0) + 1;
    const ids = this.#ids(window);
    this.#revisions.set(name, revision);
    this.#shown.set(name, ids);
    if (this.#discarding) for (const { id } of window.elements) this.#spent.add(id);
    this.log.push(`+${name} rev${revision}${this.#discarding ? ` pane${revision}` : ""} ${ids}`);
  }

  /** Takes back what was emitted of windows that are no more. */
  retract(gone: readonly Window[]): void {
    for (const window of [...gone].sort((a, b) => a.start - b.start)) {
      const name = nameOf(window);
      const revision = this.#revisions.get(name);
      if (revision === undefined) continue;
      this.#revisions.delete(name);
      this.#shown.delete(name);
      if (!this.#discarding) this.log.push(`-${name} rev${revision}`);
    }
  }

  #ids({ elements }: Window): string {
    const shown = this.#discarding ? elements.filter(({ id }) => !this.#spent.has(id)) : elements;
    return [...shown]
      .sort((a, b) => a.t - b.t)
      .map(({ id }) => id)
      .join(",");
  }
}

const nameOf = ({ key, start, end }: Window): string => `${key} ${start}..${end}`;

const inFiringOrder = (a: Window, b: Window): number =>
  a.end - b.end || a.start - b.start || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** The log of a pipeline: every result, retraction and late element. */
export function expectedLog(
  items: readonly Item[],
  outOfOrderMs: number,
  kind: Kind,
  how: Emissions,
): string[] {
  const ledger = new Ledger(how.discarding);
  let counted: Element[] = [];
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if ("id" in item) {
      const lateBy = kind.lateBy(item, counted, watermarkMs);
      if (lateBy >= 0) ledger.log.push(`late ${item.id} ${lateBy}`);
      else apply(ledger, kind, how, counted, item, watermarkMs);
    }
    const before = watermarkMs;
    watermarkMs = Math.max(watermarkMs, "id" in item ? item.t - outOfOrderMs : item.watermarkMs);
    fire(ledger, kind.windows(counted), how, before, watermarkMs);
    counted = kind.remembered(counted, watermarkMs);
  }
  return ledger.log;
}

function apply(
  ledger: Ledger,
  kind: Kind,
  { emit }: Emissions,
  counted: Element[],
  element: Element,
  watermarkMs: number,
): void {
  const before = kind.windows(counted);
  counted.push(element);
  const after = kind.windows(counted);
  const names = new Set(after.map(nameOf));
  ledger.retract(before.filter((window) => !names.has(nameOf(window))));
  for (const window of after.filter((each) => each.key === element.key).sort(inFiringOrder)) {
    const takesElements = window.end + kind.allowedLatenessMs > watermarkMs;
    const isClosed = window.end <= watermarkMs;
    if (takesElements && (isClosed || emit === "on-update") && ledger.isChanged(window)) ledger.emit(window);
  }
}

function fire(
  ledger: Ledger,
  windows: readonly Window[],
  { emit }: Emissions,
  fromMs: number,
  watermarkMs: number,
): void {
  const ordered = [...windows].sort(inFiringOrder);
  for (const window of ordered) {
    if (fromMs < window.end && window.end <= watermarkMs && ledger.isChanged(window)) ledger.emit(window);
  }
  if (typeof emit === "string" || fromMs === Number.NEGATIVE_INFINITY) return;
  if (Math.floor(fromMs / emit.everyMs) === Math.floor(watermarkMs / emit.everyMs)) return;
  for (const window of ordered) {
    if (window.end > watermarkMs && ledger.isChanged(window)) ledger.emit(window);
  }
}

/** Each run of elements of a key, none of which comes more than a gap after the one before. */
export function sessionKind(gapMs: number, allowedLatenessMs: number): Kind {
  const windows = (elements: readonly Element[]): Window[] => {
    const ordered = [...elements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.t - b.t));
    const runs: Element[][] = [];
    for (const element of ordered) {
      const last = runs.at(-1)?.at(-1);
      if (last?.key === element.key && element.t - last.t <= gapMs) runs.at(-1)!.push(element);
      else runs.push([element]);
    }
    return runs.map((run) => ({
      key: run[0]!.key,
      start: run[0]!.t,
      end: run.at(-1)!.t + gapMs,
      elements: run,
    }));
  };
  const sessionOf = (element: Element, all: readonly Element[]): Window =>
    windows(all).find(({ elements }) => elements.includes(element))!;
  return {
    windows,
    allowedLatenessMs,
    lateBy: (element, counted, watermarkMs) =>
      watermarkMs - (sessionOf(element, [...counted, element]).end + allowedLatenessMs),
    remembered: (counted, watermarkMs) =>
      counted.filter((element) => sessionOf(element, counted).end + allowedLatenessMs > watermarkMs),
  };
}

/** For each event time t of a key: [t - size, t]; and [t + 1, t + 1 + size] where that holds anything. */
export function slidingKind(sizeMs: number, allowedLatenessMs: number): Kind {
  return {
    windows: (counted) => {
      const found = new Map<string, Window>();
      for (const { key, t } of counted) {
        for (const start of [t - sizeMs, t + 1]) {
          const elements = counted.filter(
            (each) => each.key === key && start <= each.t && each.t <= start + sizeMs,
          );
          if (elements.length > 0)
            found.set(`${key} ${start}`, { key, start, end: start + sizeMs + 1, elements });
        }
      }
      return [...found.values()];
    },
    allowedLatenessMs,
    lateBy: ({ t }, _counted, watermarkMs) => watermarkMs - (t + sizeMs + 1 + allowedLatenessMs),
    remembered: (counted) => [...counted],
  };
}

/** All elements of a key, at every nth of them, or on every one, or every so often; and the rest at the end of time. */
export function expectedGlobalLog(
  items: readonly Item[],
  outOfOrderMs: number,
  when: { readonly count: number } | { readonly everyMs: number },
  discarding: boolean,
): string[] {
  const ledger = new Ledger(discarding);
  const counted: Element[] = [];
  const fresh = new Map<string, number>();
  const window = (key: string): Window => ({
    key,
    start: 0,
    end: 8.64e15,
    elements: counted.filter((element) => element.key === key),
  });
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if ("id" in item) {
      counted.push(item);
      fresh.set(item.key, (fresh.get(item.key) ?? 0) + 1);
      if ("count" in when && fresh.get(item.key) === when.count) {
        ledger.emit(window(item.key));
        fresh.delete(item.key);
      }
    }
    const before = watermarkMs;
    watermarkMs = Math.max(watermarkMs, "id" in item ? item.t - outOfOrderMs : item.watermarkMs);
    const passed =
      "everyMs" in when &&
      before > Number.NEGATIVE_INFINITY &&
      Math.floor(before / when.everyMs) < Math.floor(watermarkMs / when.everyMs);
    if (passed || watermarkMs >= 8.64e15) {
      for (const key of [...fresh.keys()].sort()) ledger.emit(window(key));
      fresh.clear();
    }
  }
  return ledger.log;
}
