/**
 * What `select` yields for a value that its aggregate cannot add. Checking and converting a value (to JSON text, to
 * a hash) is one walk over it, so both are done where it is selected, once an event.
 */
export class Refusal {
  /** The end of a sentence: "is not a finite number". */
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** `refuse` of every aggregate whose `select` yields refusals. */
export function reasonOf(selected: unknown): string | undefined {
  return selected instanceof Refusal ? selected.reason : undefined;
}
