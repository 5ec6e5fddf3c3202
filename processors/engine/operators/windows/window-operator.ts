/** The operator for each kind of window. */
import type {
  FixedWindow,
  GlobalWindow,
  HoppingWindow,
  SessionWindow,
  SlidingWindow,
  WindowDefinition,
} from "../../windows/window.ts";
import type { OperatorDefinition } from "../operator.ts";
import { FixedWindowsState } from "./fixed-windows-state.ts";
import { GlobalWindowsState } from "./global-windows-state.ts";
import { SessionWindowsState } from "./session-windows-state.ts";
import { SlicedWindowsState } from "./sliced-windows-state.ts";
import { SlidingWindowsState } from "./sliding-windows-state.ts";
import { type WindowSettings, WindowsDefinition } from "./windows-definition.ts";

export function windowOperator(settings: WindowSettings<WindowDefinition>): OperatorDefinition {
  const { window } = settings;
  switch (window.kind) {
    case "tumbling":
      return fixedWindows({ ...settings, window });
    case "hopping":
      return canBeSliced({ ...settings, window })
        ? slicedWindows({ ...settings, window })
        : fixedWindows({ ...settings, window });
    case "session":
      return sessionWindows({ ...settings, window });
    case "sliding":
      return slidingWindows({ ...settings, window });
    case "global":
      return globalWindows({ ...settings, window });
  }
}

const fixedWindows = (settings: WindowSettings<FixedWindow>): OperatorDefinition =>
  new WindowsDefinition(settings, {
    kind: "fixed-windows",
    horizonMs: settings.window.sizeMs + settings.allowedLatenessMs,
    newState: (definition) => new FixedWindowsState(definition),
  });

const slicedWindows = (settings: WindowSettings<HoppingWindow>): OperatorDefinition =>
  new WindowsDefinition(settings, {
    kind: "sliced-windows",
    horizonMs: settings.window.sizeMs + settings.allowedLatenessMs,
    newState: (definition) => new SlicedWindowsState(definition),
  });

/** For a key with an event in each a window looks into all of its slices, which beyond this costs more than it spares. */
const MAX_SLICED_OVERLAP = 100;

/**
 * What is emitted before a window closes would have to be put together at every event; and code of the user's own may
 * throw at that, when it is too late to refuse an event.
 */
const canBeSliced = ({ window, emission, aggregates }: WindowSettings<HoppingWindow>): boolean =>
  window.sizeMs > window.advanceMs &&
  window.sizeMs <= window.advanceMs * MAX_SLICED_OVERLAP &&
  emission.emit.kind === "on-close" &&
  aggregates.every(({ aggregate }) => aggregate.attempt === undefined);

/**
 * An old event still counts where it falls into a session that goes on, however long that has been: no time covers
 * every session. The horizon covers each event's own session; what is older is late wherever there is dedupe.
 */
const sessionWindows = (settings: WindowSettings<SessionWindow>): OperatorDefinition =>
  new WindowsDefinition(settings, {
    kind: "session-windows",
    horizonMs: settings.window.gapMs + settings.allowedLatenessMs,
    newState: (definition) => new SessionWindowsState(definition),
  });

/** The last window that holds an event begins with it, and ends size + 1 after it. */
const slidingWindows = (settings: WindowSettings<SlidingWindow>): OperatorDefinition =>
  new WindowsDefinition(settings, {
    kind: "sliding-windows",
    horizonMs: settings.window.sizeMs + 1 + settings.allowedLatenessMs,
    newState: (definition) => new SlidingWindowsState(definition),
  });

const globalWindows = (settings: WindowSettings<GlobalWindow>): OperatorDefinition =>
  new WindowsDefinition(settings, {
    kind: "global-windows",
    horizonMs: Number.POSITIVE_INFINITY,
    newState: (definition) => new GlobalWindowsState(definition),
  });
