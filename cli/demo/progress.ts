/** How the replay is getting on: a bar on a terminal, a line every few seconds elsewhere. */

const BAR_CELLS = 24;
const TERMINAL_INTERVAL_MS = 250;
const LINES_INTERVAL_MS = 5_000;
const RATE_WINDOW_MS = 5_000;

export interface Snapshot {
  readonly accepted: number;
  /** Undefined while Kafka cannot be asked. */
  readonly lag: number | undefined;
}

export class Progress {
  readonly #total: number;
  readonly #read: () => Snapshot;
  readonly #output: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  readonly #samples = [{ at: this.#startedAt, accepted: 0 }];
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  /** Shows `read`'s snapshots until {@link stop}. */
  constructor(total: number, read: () => Snapshot, output: NodeJS.WriteStream = process.stdout) {
    this.#total = total;
    this.#read = read;
    this.#output = output;
    this.#timer = setInterval(() => this.#show(), output.isTTY ? TERMINAL_INTERVAL_MS : LINES_INTERVAL_MS);
  }

  /** Prints a line above the bar; the bar comes back with its next state. */
  note(line: string): void {
    if (!this.#stopped) this.#clear();
    this.#output.write(`${line}\n`);
  }

  /** Shows the last state, with the rate over all of it, and stops. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#samples.splice(1);
    this.#show();
    if (this.#output.isTTY) this.#output.write("\n");
  }

  #show(): void {
    const { accepted, lag } = this.#read();
    const now = performance.now();
    const rate = this.#rate(now, accepted);
    const text = progressLine({ accepted, lag, total: this.#total, rate, elapsedMs: now - this.#startedAt });
    this.#clear();
    this.#output.write(this.#output.isTTY ? text.slice(0, this.#output.columns - 1) : `${text}\n`);
  }

  #rate(now: number, accepted: number): number {
    this.#samples.push({ at: now, accepted });
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    const seconds = (now - first.at) / 1_000;
    return seconds === 0 ? 0 : (accepted - first.accepted) / seconds;
  }

  #clear(): void {
    if (this.#output.isTTY) this.#output.write("\r\x1b[2K");
  }
}

/** The terminal that the bar shares with everyone who has a line to say. */
export class Screen {
  #bar: Progress | undefined;

  readonly print = (line: string): void => {
    if (this.#bar === undefined) console.log(line);
    else this.#bar.note(line);
  };

  /** Starts a bar; lines go above it until the returned bar is stopped. */
  progress(total: number, read: () => Snapshot): Progress {
    this.#bar = new Progress(total, read);
    return this.#bar;
  }
}

export interface ProgressState extends Snapshot {
  readonly total: number;
  /** Events a second, lately. */
  readonly rate: number;
  readonly elapsedMs: number;
}

export function progressLine({ accepted, total, rate, lag, elapsedMs }: ProgressState): string {
  const share = total === 0 ? 1 : accepted / total;
  const filled = Math.floor(share * BAR_CELLS);
  const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const lagText = lag === undefined ? "lag ?" : `lag ${grouped(lag)}`;
  const seconds = `${Math.round(elapsedMs / 1_000)} s`;
  return `${bar} ${percent}  ${grouped(accepted)} events  ${grouped(rate)}/s  ${lagText}  ${seconds}`;
}

/** A count as people read it: 300,000. */
export const grouped = (value: number): string => Math.round(value).toLocaleString("en-US");
