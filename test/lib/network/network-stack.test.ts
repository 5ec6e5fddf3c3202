import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { allowed, dev, resources, synthesize, theResource } from "../synthesize.ts";

describe("network", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().network;
  });

  test("has a private subnet in each zone, and gives nobody a public address", () => {
    const subnets = resources(template, "AWS::EC2::Subnet");

    expect(subnets).toHaveLength(2 * dev.availabilityZoneCount);
    expect(subnets.filter(({ Properties }) => Properties.MapPublicIpOnLaunch)).toEqual([]);
  });

  test("names its zones without asking an account", () => {
    const zones = resources(template, "AWS::EC2::Subnet").map(
      ({ Properties }) => Properties.AvailabilityZone,
    );

    expect(zones[0]).toEqual({ "Fn::Select": [0, { "Fn::GetAZs": "" }] });
  });

  test("lets nobody in from outside, and only Kafka's clients to its brokers", () => {
    const groups = resources(template, "AWS::EC2::SecurityGroup");
    const rules = resources(template, "AWS::EC2::SecurityGroupIngress");

    // Of the NAT instance, which lets in what comes from the VPC.
    const inline = groups.flatMap(({ Properties }) => Properties.SecurityGroupIngress ?? []);
    expect(inline.map(({ CidrIp }: { CidrIp: string }) => CidrIp)).toEqual(["10.0.0.0/16"]);
    expect(rules).toHaveLength(6);
    for (const { Properties } of rules) {
      expect(Properties).toMatchObject({ FromPort: 9098, ToPort: 9098, IpProtocol: "tcp" });
      expect(Properties.SourceSecurityGroupId).toBeDefined();
      expect(Properties.Description).toMatch(/^Kafka from /);
    }
  });

  test.each(["Ingest", "Forward", "Sink", "Processors", "Redrive"])(
    "lets %s reach the brokers and AWS over HTTPS, and nothing else",
    (client) => {
      const [group] = resources(template, "AWS::EC2::SecurityGroup").filter(({ logicalId }) =>
        logicalId.startsWith(`${client}Group`),
      );
      const egress = resources(template, "AWS::EC2::SecurityGroupEgress").filter(
        ({ Properties }) => Properties.GroupId["Fn::GetAtt"][0] === group?.logicalId,
      );

      // Without a rule in the group itself EC2 would add its default: everything to anywhere.
      expect(group?.Properties.SecurityGroupEgress).toMatchObject([{ CidrIp: "0.0.0.0/0", ToPort: 443 }]);
      expect(egress.map(({ Properties }) => Properties.ToPort)).toEqual([9098]);
    },
  );

  test("a mapping's pollers share the brokers' group, so it must admit itself and reach Lambda and STS", () => {
    const [brokers] = resources(template, "AWS::EC2::SecurityGroup").filter(({ logicalId }) =>
      logicalId.startsWith("BrokersGroup"),
    );
    const self = { "Fn::GetAtt": [brokers?.logicalId, "GroupId"] };
    const ingress = resources(template, "AWS::EC2::SecurityGroupIngress").map(({ Properties }) => Properties);

    expect(ingress).toContainEqual(expect.objectContaining({ GroupId: self, SourceSecurityGroupId: self }));
    expect(brokers?.Properties.SecurityGroupEgress).toMatchObject([{ FromPort: 443, CidrIp: "0.0.0.0/0" }]);
  });

  test.each([1, 3])("has %i NAT gateways where the environment says so", (natGateways) => {
    const { network } = synthesize({ config: { ...dev, natGateways } });

    network.resourceCountIs("AWS::EC2::NatGateway", natGateways);
    network.resourceCountIs("AWS::EC2::Instance", 0);
  });

  test("or an instance that lets the VPC's HTTPS out, nobody in, and may do nothing in the account", () => {
    template.resourceCountIs("AWS::EC2::NatGateway", 0);
    const instance = theResource(template, "AWS::EC2::Instance");
    const routes = resources(template, "AWS::EC2::Route").filter(({ logicalId }) =>
      /private/.test(logicalId),
    );
    const group = resources(template, "AWS::EC2::SecurityGroup").find(({ logicalId }) =>
      /Nat/.test(logicalId),
    );

    expect(instance.Properties).toMatchObject({
      InstanceType: "t4g.nano",
      SourceDestCheck: false,
      NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
      BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
    });
    expect(routes).toHaveLength(dev.availabilityZoneCount);
    for (const { Properties } of routes) {
      expect(Properties.InstanceId).toEqual({ Ref: instance.logicalId });
    }
    expect(group?.Properties.SecurityGroupIngress).toEqual([
      {
        CidrIp: theResource(template, "AWS::EC2::VPC").Properties.CidrBlock,
        Description: "HTTPS out of the VPC",
        FromPort: 443,
        IpProtocol: "tcp",
        ToPort: 443,
      },
    ]);
    expect(allowed(template, "VpcpublicSubnet1NatInstance")).toEqual([]);
  });

  test("keeps S3 and DynamoDB traffic off the NAT", () => {
    const endpoints = resources(template, "AWS::EC2::VPCEndpoint");

    expect(endpoints.map(({ Properties }) => Properties.VpcEndpointType)).toEqual(["Gateway", "Gateway"]);
  });

  test("logs flows where the environment asks for it", () => {
    template.resourceCountIs("AWS::EC2::FlowLog", 0);

    synthesize({ config: { ...dev, flowLogs: true } }).network.resourceCountIs("AWS::EC2::FlowLog", 1);
  });
});
