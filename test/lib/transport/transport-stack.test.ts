import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { maxEnvelopeMessageBytes } from "../../../contracts/limits.ts";
import { allowed, dev, resources, synthesize, theResource } from "../synthesize.ts";

describe("transport", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().transport;
  });

  test("takes signed TLS connections and no others", () => {
    const { Properties } = theResource(template, "AWS::MSK::Cluster");

    expect(Properties.ClientAuthentication).toEqual({
      Sasl: { Iam: { Enabled: true } },
      Unauthenticated: { Enabled: false },
    });
    expect(Properties.EncryptionInfo.EncryptionInTransit).toEqual({ ClientBroker: "TLS", InCluster: true });
    expect(Properties.EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId).toBeDefined();
    expect(Properties.BrokerNodeGroupInfo.ConnectivityInfo).toBeUndefined();
  });

  test("has a multiple of its zones as brokers, MSK refuses anything else", () => {
    const { Properties } = theResource(template, "AWS::MSK::Cluster");

    expect(Properties.NumberOfBrokerNodes % dev.availabilityZoneCount).toBe(0);
    expect(Properties.BrokerNodeGroupInfo.ClientSubnets).toHaveLength(dev.availabilityZoneCount);
  });

  test("never elects a leader that lost acknowledged records, and makes no topic by itself", () => {
    const { Properties } = theResource(template, "AWS::MSK::Configuration");
    const lines = Properties.ServerProperties.trimEnd().split("\n");

    expect(lines).toEqual(
      expect.arrayContaining([
        "auto.create.topics.enable=false",
        "default.replication.factor=3",
        "log.message.timestamp.type=LogAppendTime",
        `message.max.bytes=${maxEnvelopeMessageBytes}`,
        "group.min.session.timeout.ms=6000",
        "min.insync.replicas=2",
        "offsets.topic.replication.factor=3",
        "transaction.state.log.min.isr=2",
        "transaction.state.log.replication.factor=3",
        "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector",
        "unclean.leader.election.enable=false",
      ]),
    );
  });

  test("every topic has three copies, two of them in sync, and the time of arrival", () => {
    const topics = resources(template, "AWS::MSK::Topic");

    expect(topics.map(({ Properties }) => Properties.TopicName)).toContain("airport-delays.results");
    for (const { Properties } of topics) {
      expect(Properties.ReplicationFactor).toBe(3);
      expect(JSON.parse(Buffer.from(Properties.Configs, "base64").toString())).toMatchObject({
        "max.message.bytes": expect.stringMatching(/^\d+$/),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
        "retention.ms": expect.stringMatching(/^\d+$/),
        "unclean.leader.election.enable": "false",
      });
    }
  });

  test("asks MSK for the brokers' addresses, once, and may ask nothing else", () => {
    const lookup = theResource(template, "Custom::KafkaBootstrapServers");

    expect(lookup.Properties.InstallLatestAwsSdk).toBe(false);
    expect(JSON.stringify(lookup.Properties.Create)).toContain("BootstrapBrokerStringSaslIam");
    const statements = allowed(template, "AWS679f53fac002430cb0da5b7982bd2287ServiceRole");
    expect(statements).toMatchObject([{ actions: ["kafka:GetBootstrapBrokers"] }]);
    expect(statements[0]?.resources).not.toContain('"*"');
  });

  test("data outlives its stack where the environment says so", () => {
    const config = { ...dev, removalPolicy: "retain" } as const;
    const { transport } = synthesize({ config });

    for (const type of ["AWS::MSK::Cluster", "AWS::MSK::Topic", "AWS::KMS::Key"]) {
      for (const { DeletionPolicy } of resources(transport, type)) expect(DeletionPolicy).toBe("Retain");
    }
  });
});
