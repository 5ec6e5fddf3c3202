/** The operator for each kind of window. */
import type { WindowDefinition } from "../../windows/window.ts";
import type { OperatorDefinition } from "../operator.ts";
import { FixedWindowsDefinition, type WindowSettings } from "./fixed-windows-definition.ts";

export function windowOperator(settings: WindowSettings<WindowDefinition>): OperatorDefinition {
  const { window } = settings;
  switch (window.kind) {
    case "tumbling":
    case "hopping":
      return new FixedWindowsDefinition({ ...settings, window });
    default:
      throw new Error(`${window.kind} windows are not built yet`);
  }
}
