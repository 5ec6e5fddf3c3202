import { type Poller, pause } from "./mapping.ts";

export type MappingState = "Enabled" | "Disabling" | "Disabled" | "Enabling";

/** Lambda's ResourceInUseException: another update is under way. */
export class MappingInUseError extends Error {
  override readonly name = "MappingInUseError";
}

export interface EventSourceMappingOptions {
  /** By which Lambda's API knows it; here its name. */
  readonly uuid: string;
  readonly sourceArn: string;
  readonly functionArn: string;
  readonly batchSize: number | undefined;
  readonly enabled: boolean;
  /** A poller that begins where the one before it ended; undefined: the source does not run here. */
  readonly makePoller: (() => Poller) | undefined;
  /** How long an update takes to have its effect. */
  readonly changeMs: number;
  readonly warn: (line: string) => void;
}

const RETRY_MS = 500;

/** An event source mapping that can be disabled and enabled while the platform runs. */
export class EventSourceMapping {
  readonly options: EventSourceMappingOptions;
  readonly #stopping = new AbortController();
  #state: MappingState = "Disabled";
  #modifiedMs = Date.now();
  #poller: Poller | undefined;
  #change: Promise<void> = Promise.resolve();

  constructor(options: EventSourceMappingOptions) {
    this.options = options;
  }

  get state(): MappingState {
    return this.#state;
  }

  /** When it was changed last: milliseconds since the epoch. */
  get modifiedMs(): number {
    return this.#modifiedMs;
  }

  /** Resolves once what is written after that is delivered, where it is enabled. */
  async start(): Promise<void> {
    if (!this.options.enabled) return;
    await this.#startPoller();
    this.#set("Enabled");
  }

  /**
   * Begins a change and returns; {@link state} tells when it is done. A batch that is being delivered is delivered.
   * @throws MappingInUseError while another change is under way
   */
  setEnabled(enabled: boolean): void {
    if (this.#state === "Enabling" || this.#state === "Disabling") {
      throw new MappingInUseError(`The mapping ${this.options.uuid} is ${this.#state}.`);
    }
    if (enabled === (this.#state === "Enabled")) return;
    this.#set(enabled ? "Enabling" : "Disabling");
    this.#change = enabled ? this.#enable() : this.#disable();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#change;
    await this.#poller?.stop();
  }

  async #enable(): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = this.options.changeMs;
    while (await pause(waitMs, signal)) {
      try {
        await this.#startPoller();
        this.#set("Enabled");
        return;
      } catch (error) {
        this.options.warn(`${this.options.uuid}: not enabled yet: ${(error as Error).message}`);
        waitMs = RETRY_MS;
      }
    }
  }

  async #disable(): Promise<void> {
    if (!(await pause(this.options.changeMs, this.#stopping.signal))) return;
    await this.#poller?.stop();
    this.#poller = undefined;
    this.#set("Disabled");
  }

  async #startPoller(): Promise<void> {
    const poller = this.options.makePoller?.();
    await poller?.start();
    this.#poller = poller;
  }

  #set(state: MappingState): void {
    this.#state = state;
    this.#modifiedMs = Date.now();
  }
}
