/** Looking a stream's key up in a table: the row, or undefined, beside each element. */
import type { Step } from "./transformed.ts";

/** @param join user code: whatever it throws dead-letters the event */
export const lookup = (topic: string, join: (element: unknown, row: unknown) => unknown): Step => ({
  open: ({ tables }) => {
    const rows = tables.get(topic)!;
    return (element, key) => [join(element, rows.get(key))];
  },
});
