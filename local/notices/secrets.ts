import { randomBytes } from "node:crypto";
import { numberOf, objectOf } from "../assembly/json.ts";
import type { Plan } from "../plan/plan.ts";

/** A secret's length where its template says none (Secrets Manager, GetRandomPassword). */
const DEFAULT_LENGTH = 32;

/** By ARN and by name: as many letters and digits as each template asks for, new with each run. */
export const makeSecrets = (plan: Plan): ReadonlyMap<string, string> =>
  new Map(
    plan.storage("AWS::SecretsManager::Secret").flatMap(({ arn, name, properties }) => {
      const { PasswordLength } = objectOf(properties.GenerateSecretString);
      const secret = lettersAndDigits(numberOf(PasswordLength) ?? DEFAULT_LENGTH);
      return [[arn, secret] as const, [name, secret] as const];
    }),
  );

function lettersAndDigits(length: number): string {
  let made = "";
  while (made.length < length) made += randomBytes(length).toString("base64").replace(/[+/=]/g, "");
  return made.slice(0, length);
}
