/** Client of local/'s control API. */

interface ApiState {
  readonly name: string;
  readonly url: string;
  /** `POST /events` */
  readonly routes: readonly string[];
}

interface ServiceState {
  readonly name: string;
  readonly processes: readonly { readonly pid: number }[];
}

interface State {
  readonly apis: readonly ApiState[];
  readonly services: readonly ServiceState[];
}

export class Control {
  /** Without a slash at its end. */
  readonly url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.url = url.replace(/\/$/, "");
    this.#signal = signal;
  }

  /** Finds an API by one of its routes, such as `POST /events`; its URL comes without a slash at the end. */
  async apiUrls(): Promise<(method: string, pathPrefix: string) => string> {
    const { apis } = await this.#state();
    return (method, pathPrefix) => {
      const api = apis.find(({ routes }) =>
        routes.some((route) => route.startsWith(`${method} ${pathPrefix}`)),
      );
      if (api === undefined) throw new Error(`the local platform serves no route ${method} ${pathPrefix}`);
      return api.url.replace(/\/$/, "");
    };
  }

  async services(): Promise<readonly ServiceState[]> {
    return (await this.#state()).services;
  }

  /** Kills a service's first process with SIGKILL; resolves with its id once the process is gone. */
  async kill(service: string): Promise<number> {
    const answer = (await this.#request("POST", `/services/${encodeURIComponent(service)}/kill?index=0`)) as {
      readonly pid: number;
    };
    return answer.pid;
  }

  async #state(): Promise<State> {
    return (await this.#request("GET", "/state")) as State;
  }

  async #request(method: string, path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { method, signal: this.#signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`local/ answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }
}
