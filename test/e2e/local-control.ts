/** What a test sees of a running platform, and does to it, through local/'s control server. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

interface ServiceProcess {
  readonly pid?: number;
  readonly restarts: number;
}

export interface LocalState {
  readonly bootstrapServers: string;
  readonly services: Readonly<Record<string, { readonly processes: readonly ServiceProcess[] }>>;
  readonly tables: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Its GET answers what the webhook received. */
  readonly webhook: { readonly url: string };
  readonly runDirectory: string;
}

/** A line of a processor's log: what these tests look at. */
export interface LogEntry {
  readonly message: string;
  readonly timestamp: string;
  readonly partition?: number;
  readonly code?: string;
  readonly step?: string;
  readonly checkpoint?: number;
  readonly offsets?: readonly number[];
  readonly error?: { readonly name: string };
  /** Index of the process in its service. */
  readonly process: number;
}

export class LocalControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async state(): Promise<LocalState> {
    return (await fetch(`${this.#url}/state`)).json() as Promise<LocalState>;
  }

  /** Such as `/links/s3/cut`; resolves when it is done. */
  async command(path: string): Promise<void> {
    const response = await fetch(`${this.#url}${path}`, { method: "POST" });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  }

  /** Name of the one service. */
  async service(): Promise<string> {
    return Object.keys((await this.state()).services)[0]!;
  }

  async processes(): Promise<readonly ServiceProcess[]> {
    return Object.values((await this.state()).services)[0]!.processes;
  }

  /** Resolves when so many processes are left, or started. */
  async scale(count: number): Promise<void> {
    await this.command(`/services/${await this.service()}/count?n=${count}`);
  }

  /** What the service's processes have logged so far, metrics left out. */
  async log(): Promise<readonly LogEntry[]> {
    const logs = join((await this.state()).runDirectory, "logs");
    const service = await this.service();
    const names = (await readdir(logs)).filter((name) => name.startsWith(`${service}-`));
    const texts = await Promise.all(names.map((name) => readFile(join(logs, name), "utf8")));
    return texts.flatMap((text, index) => {
      const process = Number(/(\d+)\.log$/.exec(names[index]!)![1]);
      return text.split("\n").flatMap((line) => entryOf(line, process));
    });
  }
}

/** The last line may be half written yet. */
function entryOf(line: string, process: number): LogEntry[] {
  try {
    const entry = JSON.parse(line) as LogEntry;
    return typeof entry.message === "string" ? [{ ...entry, process }] : [];
  } catch {
    return [];
  }
}
