/** The paging token: opaque to clients, to us the place where the next page begins. */

/**
 * A place in the order of a key's rows, which is by window start, then end, both in milliseconds, then pane. It need
 * not be a row: as every window ends after it starts, (t, t, 0) is the place before all windows that start at t or
 * later.
 */
export interface Position {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 where windows are one row. */
  readonly pane: number;
}

export const writeNextToken = ({ startMs, endMs, pane }: Position): string =>
  Buffer.from(`${startMs}.${endMs}.${pane}`).toString("base64url");

/** Undefined where the text is no token. Any position is harmless: a page never leaves the request's own range. */
export function readNextToken(text: string): Position | undefined {
  const parts = /^(-?\d{1,16})\.(-?\d{1,16})\.(\d{1,12})$/.exec(
    Buffer.from(text, "base64url").toString("latin1"),
  );
  if (parts === null) return undefined;
  const position = { startMs: Number(parts[1]), endMs: Number(parts[2]), pane: Number(parts[3]) };
  // Decoding base64 skips what it does not know; only the text that was handed out is a token.
  return writeNextToken(position) === text ? position : undefined;
}
