/** The whole platform, started by the code that `spillway start` uses, for as long as a test file runs. */
import type { Admin, Kafka } from "kafkajs";
import { kafkaClient } from "../../cli/kafka.ts";
import { type Platform, withPlatform } from "../../cli/platform/platform.ts";
import { PLATFORM_APP } from "../../cli/platform/synthesize.ts";
import { LocalControl } from "./local-control.ts";

export interface RunningPlatform {
  readonly platform: Platform;
  readonly control: LocalControl;
  readonly kafka: Kafka;
  readonly admin: Admin;
  /** Lines that it has said so far. */
  readonly said: readonly string[];
  /** Resolves when everything has ended. */
  stop(): Promise<void>;
}

/**
 * Resolves once it is up; rejects with why it is not.
 * @param services those of the pipelines that a test is about, as their logical ids have them
 * @param app the CDK app, from the repository's root
 */
export function startPlatform(
  services: readonly string[] = ["airportdelays"],
  app: string = PLATFORM_APP,
): Promise<RunningPlatform> {
  const said: string[] = [];
  const end = Promise.withResolvers<void>();
  const options = {
    brokers: 1,
    app,
    signal: new AbortController().signal,
    log: (line: string) => void said.push(line),
  };
  return new Promise((resolve, reject) => {
    const ended = withPlatform(options, async (platform) => {
      const kafka = kafkaClient(platform.bootstrapServers);
      const admin = kafka.admin();
      await admin.connect();
      // The other pipelines' processes would only take time away from the ones that a test looks at.
      const others = platform.services.filter((name) => !services.some((each) => name.includes(each)));
      await Promise.all(others.map((name) => platform.control.scale(name, 0)));
      const stop = async () => {
        end.resolve();
        await ended;
      };
      resolve({ platform, control: new LocalControl(platform.control.url), kafka, admin, said, stop });
      await end.promise;
      await admin.disconnect();
    });
    ended.catch(reject);
  });
}
