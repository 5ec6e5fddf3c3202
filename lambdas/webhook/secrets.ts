import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";

/** How long a rotated secret may stay unknown; receivers keep the old one for longer. */
const TTL_MS = 5 * 60_000;

/** The webhook's secret, and the one before it after a rotation. */
export class WebhookSecrets {
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;
  #known: { readonly secrets: readonly string[]; readonly untilMs: number } | undefined;

  constructor(client: SecretsManagerClient, secretId: string) {
    this.#client = client;
    this.#secretId = secretId;
  }

  /** The current one first. Rejects with the SDK's error where there is none. */
  async read(nowMs: number): Promise<readonly string[]> {
    if (this.#known !== undefined && nowMs < this.#known.untilMs) return this.#known.secrets;
    const [current, previous] = await Promise.all([this.#version("AWSCURRENT"), this.#previous()]);
    const secrets = previous === undefined ? [current] : [current, previous];
    this.#known = { secrets, untilMs: nowMs + TTL_MS };
    return secrets;
  }

  async #previous(): Promise<string | undefined> {
    try {
      return await this.#version("AWSPREVIOUS");
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async #version(stage: string): Promise<string> {
    const command = new GetSecretValueCommand({ SecretId: this.#secretId, VersionStage: stage });
    const { SecretString = "" } = await this.#client.send(command);
    return SecretString;
  }
}
