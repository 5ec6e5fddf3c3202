/** What a user did. The three types share a topic, so that they can be correlated by user. */
import * as Type from "typebox";
import { defineEvent } from "./define.ts";

const userId = Type.String({ minLength: 1, maxLength: 128, description: "the user's stable id" });
const latitude = Type.Number({ minimum: -90, maximum: 90, description: "degrees, north positive" });
const longitude = Type.Number({ minimum: -180, maximum: 180, description: "degrees, east positive" });
const shared = {
  topic: "user-activity",
  partitionKey: "userId",
  owner: "identity",
  futureBoundMs: 5 * 60_000,
} as const;

export const loginSucceeded = defineEvent({
  ...shared,
  type: "login.succeeded",
  classification: "personal",
  data: Type.Object({
    userId,
    deviceId: Type.String({ minLength: 1, maxLength: 128 }),
    newDevice: Type.Boolean({ description: "whether the user never logged in from this device before" }),
    method: Type.Union([Type.Literal("password"), Type.Literal("passkey"), Type.Literal("sso")]),
    place: Type.Optional(
      Type.Object({ latitude, longitude }, { description: "of the IP address, where it is known" }),
    ),
  }),
});

export const paymentMade = defineEvent({
  ...shared,
  type: "payment.made",
  classification: "confidential",
  data: Type.Object({
    userId,
    amountMinor: Type.Integer({ minimum: 1, description: "amount in the currency's minor unit" }),
    currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217 code" }),
    merchantId: Type.String({ minLength: 1, maxLength: 128 }),
  }),
});

export const locationReported = defineEvent({
  ...shared,
  type: "location.reported",
  classification: "personal",
  data: Type.Object({
    userId,
    latitude,
    longitude,
    accuracyM: Type.Number({ minimum: 0, description: "radius in metres" }),
  }),
});
