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

  /** Kills a service's first process with SIGKILL; resolves with its process id. Rejects where none is running. */
  async kill(service: string): Promise<number> {
    const { services } = (await this.#request("GET", "/state")) as State;
    const pid = services[service]?.processes[0]?.pid;
    if (pid === undefined)
      throw new Error(`no process of the service ${service} is running; there is none to kill`);
    await this.#request("POST", `/services/${encodeURIComponent(service)}/kill?index=0`);
    return pid;
  }

  async #request(method: string, path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { method, signal: this.#signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`local/ answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }
}
