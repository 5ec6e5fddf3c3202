/** Client of local/'s control API. */

interface State {
  readonly services: Readonly<Record<string, { readonly processes: readonly { readonly pid?: number }[] }>>;
}

export class Control {
  readonly url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.url = url;
    this.#signal = signal;
  }

  /**
   * Kills a running process of a service with SIGKILL, the first there is; resolves with its process id, or with
   * undefined where none is running (the service may be between two starts).
   */
  async kill(service: string): Promise<number | undefined> {
    const { services } = (await this.#request("GET", "/state")) as State;
    const processes = services[service]?.processes ?? [];
    const index = processes.findIndex(({ pid }) => pid !== undefined);
    if (index === -1) return undefined;
    await this.#request("POST", `/services/${encodeURIComponent(service)}/kill?index=${index}`);
    return processes[index]?.pid;
  }

  async #request(method: string, path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { method, signal: this.#signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`local/ answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }
}
