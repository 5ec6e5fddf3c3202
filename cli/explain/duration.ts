/** A duration as people say it. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** In whole units, the largest first: `1 d`, `1 h 30 min`, `250 ms`, `0 ms`. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  const parts: string[] = [];
  let left = ms;
  for (const [unit, unitMs] of UNITS) {
    const whole = Math.floor(left / unitMs);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    left -= whole * unitMs;
  }
  return parts.length === 0 ? "0 ms" : parts.join(" ");
}
