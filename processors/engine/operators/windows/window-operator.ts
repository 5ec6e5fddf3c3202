/** The operator for each kind of window. */
import type {
  FixedWindow,
  GlobalWindow,
  SessionWindow,
  SlidingWindow,
  WindowDefinition,
} from "../../windows/window.ts";
import type { OperatorDefinition } from "../operator.ts";
import { FixedWindowsState } from "./fixed-windows-state.ts";
import { GlobalWindowsState } from "./global-windows-state.ts";
import { SessionWindowsState } from "./session-windows-state.ts";
import { SlidingWindowsState } from "./sliding-windows-state.ts";
import { type WindowSettings, WindowsDefinition } from "./windows-definition.ts";

export function windowOperator(settings: WindowSettings<WindowDefinition>): OperatorDefinition {
  const { window } = settings;
  switch (window.kind) {
    case "tumbling":
    case "hopping":
      return fixedWindows({ ...settings, window });
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
