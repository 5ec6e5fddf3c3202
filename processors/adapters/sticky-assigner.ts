/**
 * The group's assigner for kafkajs: partition n of every topic goes to one member, since one task reads all of them
 * (design, section 4, rule 1).
 */
import { AssignerProtocol, type Cluster, type GroupMember, type PartitionAssigner } from "kafkajs";
import { type Claim, share } from "./partition-shares.ts";

const NAME = "SpillwaySticky";
const VERSION = 1;

/** What a member had, asked for at every join. */
export type PreviousAssignment = () => Omit<Claim, "memberId">;

/**
 * The assigner in the form kafkajs takes. `onJoin` is called as each join begins, whatever led to it; kafkajs has
 * no event that covers all of its reasons to join again.
 */
export function stickyAssigner(previous: PreviousAssignment, onJoin: () => void): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => {
      const claim = previous();
      onJoin();
      const userData = Buffer.from(JSON.stringify(claim));
      return {
        name: NAME,
        metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData }),
      };
    },
    assign: async ({ members, topics }) => {
      const counts = new Map(topics.map((topic) => [topic, partitionCount(cluster, topic)]));
      const shares = share(Math.max(...counts.values()), members.map(readClaim));
      return [...shares].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          assignment: Object.fromEntries(
            topics.map((topic) => [topic, partitions.filter((partition) => partition < counts.get(topic)!)]),
          ),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

const partitionCount = (cluster: Cluster, topic: string): number =>
  cluster.findTopicPartitionMetadata(topic).length;

function readClaim({ memberId, memberMetadata }: GroupMember): Claim {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData;
  if (userData === undefined || userData.length === 0) return { memberId, generation: 0, partitions: [] };
  const { generation, partitions } = JSON.parse(userData.toString()) as Omit<Claim, "memberId">;
  return { memberId, generation, partitions };
}
