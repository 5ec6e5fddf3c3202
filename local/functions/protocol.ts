/** Messages between the platform and the bootstrap of an execution environment. Payloads are JSON text. */

export interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  /** When the function's timeout ends, milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly functionArn: string;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type BootstrapMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "init-failed"; readonly error: FunctionError }
  | { readonly kind: "answer"; readonly requestId: string; readonly payload: string }
  | { readonly kind: "failed"; readonly requestId: string; readonly error: FunctionError };

/** Lambda's limit on a synchronous invocation's request and response (Lambda quotas). */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
