/** A service that pipelines ask: it never says the same twice, so that whose answer it was can be seen. */
import type { AskService } from "../../../../processors/engine/worker/ports.ts";
import type { Process } from "./process.ts";

export const SERVICE = "service";

export class ServiceModel {
  readonly #given = new Map<string, Set<string>>();
  #last = 0;

  /** The service as a process sees it. */
  for(process: Process): AskService {
    return (_, questions) => process.call(SERVICE, () => questions.map((question) => this.#answer(question)));
  }

  /** Whether it ever gave this answer to this question. */
  gave(question: string, json: string): boolean {
    return this.#given.get(question)?.has(json) ?? false;
  }

  #answer(question: string): number {
    this.#last += 1;
    const given = this.#given.get(question) ?? new Set();
    this.#given.set(question, given.add(JSON.stringify(this.#last)));
    return this.#last;
  }
}
