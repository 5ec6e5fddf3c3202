import { describe, expect, it } from "vitest";
import {
  capReplication,
  decodeProperties,
  serverProperties,
} from "../../../local/kafka/server-properties.ts";

describe("properties in a template", () => {
  const expected = { "cleanup.policy": "delete", "retention.ms": "60000" };
  const lines = "# kept for a minute\ncleanup.policy=delete\n\nretention.ms = 60000\n";

  it.each<[string, string]>([
    ["lines", lines],
    ["lines in base64", Buffer.from(lines).toString("base64")],
    ["JSON in base64", Buffer.from(JSON.stringify(expected)).toString("base64")],
  ])("are read from %s", (_, encoded) => {
    expect(decodeProperties(encoded)).toEqual(expected);
  });

  it("are none where there is nothing", () => {
    expect(decodeProperties("")).toEqual({});
  });
});

describe("replication", () => {
  const three = { "default.replication.factor": "3", "min.insync.replicas": "2" };

  it.each<[number, string, string]>([
    [1, "1", "1"],
    [3, "3", "2"],
  ])("on %i brokers is %s with at least %s in sync", (brokers, replicas, inSync) => {
    expect(capReplication(three, brokers)).toEqual({
      "default.replication.factor": replicas,
      "min.insync.replicas": inSync,
    });
  });
});

it("advertises the link to clients and itself to brokers", () => {
  const broker = { id: 1, advertisedPort: 11, clientPort: 12, internalPort: 13, controllerPort: 14 };
  const text = serverProperties({ "log.retention.hours": "1" }, [broker], broker, "/data");
  expect(text).toContain("advertised.listeners=CLIENT://127.0.0.1:11,INTERNAL://127.0.0.1:13\n");
  expect(text).toContain("log.retention.hours=1\n");
  expect(text).toContain("min.insync.replicas=1\n");
  expect(text).toContain("broker.rack=local-az1\n");
});
