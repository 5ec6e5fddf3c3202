/** Client of local/'s control API. */

interface State {
  readonly services: Readonly<Record<string, { readonly processes: readonly { readonly pid?: number }[] }>>;
}

const NOT_FOUND = 404;

export class Control {
  readonly url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.url = url;
    this.#signal = signal;
  }

  /**
   * Kills a running process of a service with SIGKILL; resolves with its process id, or with undefined where none
   * is running (the service may be between two starts). `victim` says which of those that run, as a share of their
   * number from 0 to below 1.
   */
  async kill(service: string, victim: number): Promise<number | undefined> {
    const { services } = (await this.#answer("GET", "/state")) as State;
    const processes = services[service]?.processes ?? [];
    const running = [...processes.keys()].filter((index) => processes[index]!.pid !== undefined);
    const index = running[Math.floor(victim * running.length)];
    if (index === undefined) return undefined;
    await this.post(`/services/${encodeURIComponent(service)}/kill?index=${index}`);
    return processes[index]?.pid;
  }

  /** Starts or stops processes of a service until so many run. */
  async scale(service: string, processes: number): Promise<void> {
    await this.post(`/services/${encodeURIComponent(service)}/count?n=${processes}`);
  }

  /** Such as `/links/s3/cut`. False where there is no such target just now: a process may be between two starts. */
  async post(path: string): Promise<boolean> {
    const response = await this.#request("POST", path);
    await response.arrayBuffer();
    if (response.ok || response.status === NOT_FOUND) return response.ok;
    throw new Error(`local/ answered ${response.status} to ${path}`);
  }

  async #answer(method: string, path: string): Promise<unknown> {
    const response = await this.#request(method, path);
    const text = await response.text();
    if (!response.ok) throw new Error(`local/ answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }

  #request(method: string, path: string): Promise<Response> {
    return fetch(`${this.url}${path}`, { method, signal: this.#signal });
  }
}
