/** What stops a local run. Each message says what was wrong, where, and what to do next. */
export abstract class LocalError extends Error {
  abstract readonly code: string;
}

/** The cloud assembly cannot be run: a file is missing, or a value cannot be resolved to a local one. */
export class AssemblyError extends LocalError {
  readonly code = "ASSEMBLY";
  override readonly name = "AssemblyError";
}

/** Something this machine needs is not installed. */
export class PrerequisiteError extends LocalError {
  readonly code = "PREREQUISITE";
  override readonly name = "PrerequisiteError";
}

/** A part of the platform did not come up. */
export class StartError extends LocalError {
  readonly code = "START";
  override readonly name = "StartError";
}
