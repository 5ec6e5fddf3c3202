/** Tells what the process has used when it has come so far: lines of JSON, each a Mark of figures.ts. */
export class Marks {
  readonly #at: number[];
  #leftOutS = 0;

  /** @param at numbers of events, rising */
  constructor(...at: readonly number[]) {
    this.#at = [...at];
  }

  /** Does something that does not count: neither its processor time nor how long it takes. */
  leavingOut<Result>(work: () => Result): Result {
    const before = process.threadCpuUsage();
    const result = work();
    const { user, system } = process.threadCpuUsage(before);
    this.#leftOutS += (user + system) / 1_000_000;
    return result;
  }

  /** True once the last mark is passed. */
  passed(events: number): boolean {
    if (this.#at.length > 0 && events >= this.#at[0]!) {
      this.#at.shift();
      const { user, system } = process.cpuUsage();
      const cpuS = (user + system) / 1_000_000 - this.#leftOutS;
      console.log(JSON.stringify({ events, cpuS, wallS: process.uptime() - this.#leftOutS }));
    }
    return this.#at.length === 0;
  }
}
