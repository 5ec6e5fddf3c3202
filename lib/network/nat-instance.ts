import {
  type CfnInstance,
  CpuCredits,
  InstanceClass,
  InstanceSize,
  InstanceType,
  NatInstanceProviderV2,
  NatTrafficDirection,
  Peer,
  Port,
} from "aws-cdk-lib/aws-ec2";
import { acknowledge } from "../acknowledge.ts";

/** Amazon Linux's root volume. */
const ROOT_DEVICE = "/dev/xvda";
const VOLUME_GIB = 8;

/**
 * The cheapest way out of a VPC: one instance that masquerades, of the newest image of Amazon Linux 2023 at each deployment,
 * which replaces it where there is a newer one. EC2 recovers it on a failure of its host.
 */
export class NatInstance {
  readonly provider = new NatInstanceProviderV2({
    instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.NANO),
    // Beyond its credits it gets slow, and not dear.
    creditSpecification: CpuCredits.STANDARD,
    associatePublicIpAddress: true,
    defaultAllowedTraffic: NatTrafficDirection.OUTBOUND_ONLY,
  });

  /** Once the VPC is made: lets its addresses through with HTTPS, which is all that the groups there let out of it. */
  serve(vpcCidr: string): void {
    this.provider.connections.allowFrom(Peer.ipv4(vpcCidr), Port.tcp(443), "HTTPS out of the VPC");
    for (const instance of this.provider.gatewayInstances) {
      (instance.node.defaultChild as CfnInstance).blockDeviceMappings = [
        { deviceName: ROOT_DEVICE, ebs: { volumeSize: VOLUME_GIB, volumeType: "gp3", encrypted: true } },
      ];
      acknowledge(instance, "EC28", "Detailed monitoring would cost two thirds of what the instance does.");
      acknowledge(instance, "EC29", "It holds nothing: the next one is as good.");
    }
  }
}
