/** `spillway flow`: what a person orders of the flow control, and what it does by itself. */
import { hostname } from "node:os";
import { environmentVariables } from "../../contracts/environment.ts";
import { FORWARD_HIGH_MAPPING, FORWARD_MAPPING } from "../../contracts/flow-control.ts";
import { ControlTable } from "../../runtime/control-table.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { createLambdaClient, EventSourceMappings } from "../../runtime/event-source-mappings.ts";
import { SignalsTable } from "../../runtime/signals.ts";
import { type Command, parseNamed, UsageError, wholeNumber } from "../command.ts";
import { localState, named, variable } from "../deployment.ts";
import { end, give } from "./orders.ts";
import { statusLines } from "./status.ts";

const help = `Usage: spillway flow <hold|drain|auto|status> [options]

The flow control pauses the mapping that drains the spillway, or a producer's stream, while what reads the events is
overloaded, and resumes it.
An order is followed by its next run, within a minute, and kept with who gave it, when and why (docs/flow-control.md).

  hold      keep it paused, for as long as half of the time after which records are given up
  drain     keep it running; its function then heeds no load
  auto      end the order: the loads decide
  status    print mapping, order, loads and the last changes

  --reason TEXT     why; it is kept with the order
  --for MINUTES     end the order by itself after so long
  --mapping NAME    which mapping: ${FORWARD_MAPPING}, ${FORWARD_HIGH_MAPPING}, door-<producer> (default: ${FORWARD_MAPPING})
  --control URL     that of a platform on this machine, as \`spillway start\` prints it. Otherwise it is found by
                    ${environmentVariables.controlTable}, ${environmentVariables.signalsTable} and the AWS SDK's own variables
  --help            this text`;

const MAX_MINUTES = 10_080;
const MINUTE_MS = 60_000;
const ACTIONS = ["hold", "drain", "auto", "status"] as const;

export const flow: Command = {
  help,
  run: async (args, signal) => {
    const { values, named: given } = parseNamed(args, {
      reason: { type: "string" },
      for: { type: "string" },
      mapping: { type: "string", default: FORWARD_MAPPING },
      control: { type: "string" },
    });
    const action = ACTIONS.find((one) => one === given);
    if (action === undefined) throw new UsageError(`say ${ACTIONS.join(", ")}, not "${given ?? ""}"`);
    const forMs = durationMs(action, values.for);
    if (action === "status" && values.reason !== undefined) throw new UsageError("--reason is for an order");
    if (values.control !== undefined) await takeEnvironment(values.control);
    const dynamodb = createDynamoDBClient();
    const table = new ControlTable(dynamodb, variable("controlTable"));
    if (action === "status") {
      const mappings = new EventSourceMappings(createLambdaClient());
      const signals = new SignalsTable(dynamodb, variable("signalsTable"));
      const lines = await statusLines(values.mapping, { table, mappings, signals, signal }, Date.now());
      console.log(lines.join("\n"));
      return 0;
    }
    const orders = { table, mapping: values.mapping, by: person(), now: Date.now };
    const reason = values.reason ?? "no reason given";
    console.log(
      action === "auto" ? await end(reason, orders) : await give({ mode: action, reason, forMs }, orders),
    );
    return 0;
  },
};

/** Sets what the platform's own functions have, since the SDK takes its endpoints from the environment. */
async function takeEnvironment(controlUrl: string): Promise<void> {
  const { tables, environment } = await localState(controlUrl);
  Object.assign(process.env, environment, {
    [environmentVariables.controlTable]: named(tables, "ControlTable"),
    [environmentVariables.signalsTable]: named(tables, "SignalsTable"),
  });
}

function durationMs(action: (typeof ACTIONS)[number], minutes: string | undefined): number | undefined {
  if (minutes === undefined) return undefined;
  if (action !== "hold" && action !== "drain") throw new UsageError("--for is for hold and drain");
  return wholeNumber("for", minutes, 1, MAX_MINUTES) * MINUTE_MS;
}

/** As this machine knows them; it is no proof of who it was. */
const person = (): string => `${process.env.LOGNAME ?? process.env.USER ?? "somebody"}@${hostname()}`;
