/** docs/costs.md: the sums, what they rest on, and what was done to make them small. */
import { assumptionTexts } from "./assumptions.ts";
import { tableText } from "./command.ts";
import type { Estimate } from "./estimate.ts";
import { type Group, total } from "./line.ts";
import { prices } from "./prices.ts";
import { usdText } from "./text.ts";

/** Estimates of each environment, for each load; the first of them at rest. */
export function costsPage(environments: readonly (readonly Estimate[])[]): string {
  const [dev] = environments[0]!;
  return `# What it costs

Made by \`npx vitest run test/cli/cost -u\` from the templates of each environment; do not edit. \`npm run cost\` prints the
same, and with \`--env prod --events 5000\` every line of one sum: how many of what, at which price.

The prices are list prices of us-east-1, on demand, in USD a month, without free tiers, discounts and tax. Where a price's
source says \`from memory\`, it was recalled and not looked up: check it before a budget depends on it. No bill has been
compared with any of this.

${environments.map(tableText).join("\n")}
## dev at rest

${usdText(dev!.usd)} USD a month. It runs all that prod runs, and what is left is the floor of what that is made of:

* Kafka, ${groupText(dev!, "Kafka")}: three brokers, since every topic has three copies in three zones, and \`kafka.t3.small\` is the smallest
  that MSK has. MSK Serverless costs five times that at rest (0.75 an hour, from memory), and fewer copies would be another system.
* Metrics, alarms and the dashboard, ${groupText(dev!, "metrics, alarms, dashboards")}: with \`watching: "essential"\`, what pages and what rolls a deployment
  back. Tickets, notices and a dashboard for each pipeline are in staging, which everything passes before prod; they would be
  27 more. What the processors' scaling and those alarms read stays. An account's first three dashboards are free, which
  this does not count.
* The spillway, ${groupText(dev!, "spillway and doors")}: a shard for each of its two streams, as priorities do not share one, which keep for 24 hours; the seven
  days of prod would cost 29 more, on demand each stream 18.
* Processors, ${groupText(dev!, "processors")}: one task for each service, of a quarter of a vCPU, on spare capacity. Fewer services would let one
  priority's events wait for another's. Staging and prod have two, of more, and the first of them always.
* Network, ${groupText(dev!, "network")}: one NAT instance (\`natGateways: "instance"\`), as functions in a VPC have no addresses of their own, and
  Lambda's pollers, ECR and Logs are outside of it. A gateway is 30 more; interface endpoints instead (Kinesis, Lambda, STS,
  ECR, Logs, events) cost more than that in one zone and three times that in three. Each deployment replaces the instance
  where there is a newer image, and while it is away nothing new starts: nobody waits for dev, and neither staging nor prod
  has one.

So less than ${usdText(Math.floor(dev!.usd))} would take away a copy, a priority or the alarms that roll back.

Dev that nobody uses costs least when it is not there: \`docs/deploy.md\` says how to take it down, and it comes back with one
command.

## What a load costs most for

Requests, and what goes with each. Half as many requests of twice as many events halve the door's share, its logs and its
metrics: that is why the sender batches. Checkpoints are next: while events come a task makes one each
\`processors.checkpointIntervalMs\`, of two PUTs where they are larger than 4 KiB, whatever the rate. Dev, whose interval is 5 s,
pays a fifth of what staging and prod pay with 1 s, and commits results up to 5 s later.

## Assumed

${assumptionTexts()
  .map((text) => `* ${text}`)
  .join("\n")}

## Prices

Brokers by instance type are in \`cli/cost/prices.ts\` (https://aws.amazon.com/msk/pricing/, from memory, November 2026).

| price | USD | for a | source | as of |
| --- | ---: | --- | --- | --- |
${Object.entries(prices)
  .map(
    ([name, { usd, unit, source, asOf }]) =>
      `| ${name} | ${priceText(usd)} | ${unit} | ${source} | ${asOf} |`,
  )
  .join("\n")}
`;
}

const groupText = ({ lines }: Estimate, of: Group): string =>
  usdText(total(lines.filter(({ group }) => group === of)));

/** Never in powers of ten. */
const priceText = (usd: number): string => usd.toLocaleString("en-US", { maximumSignificantDigits: 6 });
