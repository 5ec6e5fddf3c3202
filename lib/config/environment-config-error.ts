/** A configuration that cannot work. The message names the field, its value and what is expected. */
export class EnvironmentConfigError extends Error {
  override readonly name = "EnvironmentConfigError";
  readonly code = "ENVIRONMENT_CONFIG";
  readonly field: string;

  constructor(field: string, value: unknown, expected: string) {
    super(
      `${field} is ${JSON.stringify(value)}; it must be ${expected}. Correct it in lib/config/environments.ts.`,
    );
    this.field = field;
  }
}
