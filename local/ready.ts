/** What a client needs to use the platform: the line that says it is ready. */
export interface Ready {
  readonly ready: true;
  readonly controlUrl: string;
  /** Base URL by the API's name. */
  readonly apis: Readonly<Record<string, string>>;
  /** Base URL by route key. */
  readonly routes: Readonly<Record<string, string>>;
  readonly bootstrapServers: string;
  /** Names in AWS by logical id. */
  readonly tables: Readonly<Record<string, string>>;
  readonly buckets: Readonly<Record<string, string>>;
  readonly services: readonly string[];
  /** Region, credentials and endpoints: what an AWS client needs to reach the emulators. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runDirectory: string;
}
