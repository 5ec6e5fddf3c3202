import * as Type from "typebox";
import { defineEvent } from "./define.ts";

/**
 * A device says how it is, about once a minute. Where it is follows from the address that it reported from, which is
 * personal where the device is somebody's own.
 */
export const telemetryReported = defineEvent({
  type: "telemetry.reported",
  topic: "device-telemetry",
  data: Type.Object({
    deviceId: Type.String({ minLength: 1, maxLength: 128, description: "the device's stable id" }),
    ip: Type.String({
      pattern: "^[0-9A-Fa-f.:]{2,45}$",
      description: "the IPv4 or IPv6 address that it reported from, as the door saw it",
    }),
    temperatureC: Type.Number({ minimum: -273.15, maximum: 1_000 }),
    batteryShare: Type.Number({ minimum: 0, maximum: 1, description: "0: empty, 1: full" }),
  }),
  partitionKey: "deviceId",
  owner: "devices",
  classification: "personal",
  futureBoundMs: 5 * 60_000,
});
