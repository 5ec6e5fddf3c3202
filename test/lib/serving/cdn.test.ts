import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import type { CdnConfig } from "../../../lib/config/serving.ts";
import type { DeployedPipeline } from "../../../lib/processing/pipeline.ts";
import { allowed, dev, resources, synthesize, type Templates, theResource } from "../synthesize.ts";

const cdn: CdnConfig = {
  domainName: "results.example.org",
  certificateArn: "arn:aws:acm:us-east-1:111111111111:certificate/0b8f7c1e",
  reservedConcurrency: 50,
};
const config = { ...dev, region: "eu-central-1", serving: { cdn } };

const delays: DeployedPipeline = {
  name: "delays",
  service: "flights",
  inputs: [{ topic: "flights" }],
  operators: [{ series: "delays" }, { series: "delays.daily" }],
  access: "public",
};
const fraud: DeployedPipeline = {
  name: "fraud",
  service: "fraud",
  inputs: [{ topic: "user-activity" }],
  operators: [{ series: "fraud" }],
};
const pipelines = [delays, fraud];

describe("the CDN", () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize({ config, pipelines }).serving;
  });

  const distribution = () =>
    theResource(template, "AWS::CloudFront::Distribution").Properties.DistributionConfig;
  const publicQuery = () =>
    resources(template, "AWS::Lambda::Function").find(({ logicalId }) => logicalId.startsWith("PublicQuery"))!
      .Properties;

  test("takes GET and HEAD over TLS 1.2 or later, under its own name, and logs who asks", () => {
    expect(distribution()).toMatchObject({
      Aliases: [cdn.domainName],
      ViewerCertificate: {
        AcmCertificateArn: cdn.certificateArn,
        MinimumProtocolVersion: "TLSv1.2_2021",
        SslSupportMethod: "sni-only",
      },
      DefaultCacheBehavior: {
        AllowedMethods: ["GET", "HEAD"],
        ViewerProtocolPolicy: "https-only",
        Compress: true,
      },
      Logging: { Bucket: { "Fn::GetAtt": [expect.stringMatching(/^CdnAccessLogs/), "RegionalDomainName"] } },
    });
    expect(distribution().WebACLId).toBeUndefined();
  });

  test("keeps what Cache-Control says, by the parameters that are read and nothing else", () => {
    const { CachePolicyConfig } = theResource(template, "AWS::CloudFront::CachePolicy").Properties;

    expect(CachePolicyConfig).toMatchObject({ MinTTL: 0, DefaultTTL: 0, MaxTTL: 31_536_000 });
    expect(CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin).toMatchObject({
      QueryStringsConfig: {
        QueryStringBehavior: "whitelist",
        QueryStrings: ["key", "from", "to", "limit", "next"],
      },
      HeadersConfig: { HeaderBehavior: "none" },
      CookiesConfig: { CookieBehavior: "none" },
    });
  });

  test("signs what it asks of a function that takes signed calls only, and of this distribution only", () => {
    const { OriginAccessControlConfig } = theResource(
      template,
      "AWS::CloudFront::OriginAccessControl",
    ).Properties;
    const permissions = resources(template, "AWS::Lambda::Permission").filter(
      ({ Properties }) => Properties.Principal === "cloudfront.amazonaws.com",
    );

    expect(OriginAccessControlConfig).toMatchObject({
      OriginAccessControlOriginType: "lambda",
      SigningBehavior: "always",
      SigningProtocol: "sigv4",
    });
    expect(theResource(template, "AWS::Lambda::Url").Properties.AuthType).toBe("AWS_IAM");
    expect(permissions.map(({ Properties }) => Properties.Action).sort()).toEqual([
      "lambda:InvokeFunction",
      "lambda:InvokeFunctionUrl",
    ]);
    for (const { Properties } of permissions) {
      expect(JSON.stringify(Properties.SourceArn)).toContain(":distribution/");
      expect(JSON.stringify(Properties.SourceArn)).not.toContain("*");
    }
  });

  test("stands before a function that is told of public results, and may read no others", () => {
    const statements = resources(template, "AWS::IAM::Policy")
      .filter(({ Properties }) => Properties.Roles[0].Ref.startsWith("PublicQueryRole"))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => !String(Action).startsWith("logs:"));

    expect(publicQuery().Environment.Variables.SPILLWAY_SERVED_SERIES).toBe(
      "delays:public::4:,delays.daily:public::4:",
    );
    expect(publicQuery().ReservedConcurrentExecutions).toBe(cdn.reservedConcurrency);
    expect(statements).toMatchObject([
      {
        Action: "dynamodb:Query",
        Effect: "Allow",
        Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["delays#*", "delays.daily#*"] } },
      },
    ]);
    expect(allowed(template, "PublicQueryRole").flatMap(({ resources: on }) => on)).not.toContain('"*"');
  });
});

describe("what is public", () => {
  let without: Templates;
  let nobody: Templates;
  beforeAll(() => {
    without = synthesize({ pipelines });
    nobody = synthesize({ config, pipelines: [fraud] });
  });

  test("is nothing where the environment has no CDN, or no pipeline says so", () => {
    for (const { serving, firewall } of [without, nobody]) {
      expect(resources(serving, "AWS::Lambda::Url")).toEqual([]);
      expect(resources(serving, "AWS::CloudFront::Distribution")).toEqual([]);
      expect(firewall).toBeUndefined();
    }
  });
});

describe("the firewall", () => {
  let templates: Templates;
  beforeAll(() => {
    const firewall = { maxRequestsPerAddress: 1_000 };
    templates = synthesize({ config: { ...config, serving: { cdn: { ...cdn, firewall } } }, pipelines });
  });

  test("is a stack of its own in us-east-1, where it is asked for", () => {
    const { Properties } = theResource(templates.firewall!, "AWS::WAFv2::WebACL");
    const { DistributionConfig } = theResource(templates.serving, "AWS::CloudFront::Distribution").Properties;

    expect(Properties.Scope).toBe("CLOUDFRONT");
    expect(Properties.Rules.map(({ Statement }: { Statement: object }) => Object.keys(Statement)[0])).toEqual(
      ["ManagedRuleGroupStatement", "RateBasedStatement"],
    );
    expect(Properties.Rules[1].Statement.RateBasedStatement.Limit).toBe(1_000);
    expect(JSON.stringify(DistributionConfig.WebACLId)).toContain("Firewalluseast1FnGetAttWebAclArn");
  });
});
