/** Runs of the flow control over a fake of Lambda's mappings and a fake of the control table. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Change,
  type ControlledMapping,
  maxPausedAgeMs,
  type Override,
} from "../../../contracts/flow-control.ts";
import type { LoadSignal } from "../../../contracts/signals.ts";
import type { FlowControlPorts } from "../../../lambdas/flow-control/control.ts";
import { runFlowControl } from "../../../lambdas/flow-control/run.ts";
import type { MappingState } from "../../../runtime/control-table.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2026, 0, 1);
const forward: ControlledMapping = {
  name: "forward",
  uuid: "u-1",
  maxAgeHours: 144,
  topics: ["flights", "fares"],
};

let nowMs: number;
let load: number | undefined;
let signalsFail: boolean;
let waitingSinceMs: number | undefined;
let status: string;
/** Whether Lambda says that another update is under way. */
let busy: boolean;
let updates: boolean[];
let tableFails: Set<"read" | "putState" | "endOverride" | "record">;
let kept: MappingState | undefined;
let override: Override | undefined;
let records: Change[];
let logged: Change[];
let warnings: string[];

beforeEach(() => {
  nowMs = START_MS;
  load = 0;
  signalsFail = false;
  waitingSinceMs = undefined;
  status = "Enabled";
  busy = false;
  updates = [];
  tableFails = new Set();
  kept = undefined;
  override = undefined;
  records = [];
  logged = [];
  warnings = [];
});

const may = (call: "read" | "putState" | "endOverride" | "record"): void => {
  if (tableFails.has(call)) throw new Error(`${call} failed`);
};

const ports: FlowControlPorts = {
  table: {
    read: async () => {
      may("read");
      return { state: kept, override };
    },
    putState: async (state) => {
      may("putState");
      kept = state;
    },
    endOverride: async (_, expected) => {
      may("endOverride");
      if (override !== expected) return false;
      override = undefined;
      return true;
    },
    record: async (_, change) => {
      may("record");
      records.push(change);
    },
  },
  mappings: {
    status: async (uuid) => {
      if (uuid !== forward.uuid) throw new Error(`there is no ${uuid}`);
      return { state: status, modifiedMs: START_MS };
    },
    setEnabled: async (_, enabled) => {
      if (busy) return false;
      updates.push(enabled);
      status = enabled ? "Enabled" : "Disabled";
      return true;
    },
  },
  now: () => nowMs,
  warn: (message) => void warnings.push(message),
  changed: (_, change) => void logged.push(change),
};

function signals(): LoadSignal[] {
  const common = { topics: ["flights"], atMs: nowMs };
  return [
    ...(load === undefined ? [] : [{ ...common, stage: "delays", source: "0", load }]),
    ...(load === undefined ? [] : [{ ...common, stage: "delays", source: "1", load: load / 2 }]),
    ...(waitingSinceMs === undefined
      ? []
      : [{ stage: "forward", source: "shard-0", topics: [], load: 99, atMs: nowMs, waitingSinceMs }]),
  ];
}

/** So many runs, a minute apart. */
async function run(times = 1, mappings = [forward]) {
  let last: Awaited<ReturnType<typeof runFlowControl>> | undefined;
  for (let index = 0; index < times; index++) {
    nowMs += MINUTE_MS;
    const read = async () => {
      if (signalsFail) throw new Error("the table is away");
      return signals();
    };
    last = await runFlowControl(mappings, read, ports);
  }
  return last!;
}

async function pausedByLoad(): Promise<void> {
  load = 2;
  await run(2);
  expect(status).toBe("Disabled");
  updates = [];
  records = [];
}

describe("loads", () => {
  it("pause in two runs, and resume in two, with a record and a line for each", async () => {
    load = 1.6;
    await run(1);
    expect(updates).toEqual([]);
    await run(1);
    load = 0.5;
    await run(2);
    expect(updates).toEqual([false, true]);
    expect(records).toEqual([
      {
        what: "mapping",
        from: "running",
        to: "paused",
        by: "flow-control",
        reason: "the highest load was above 1.5 in 2 runs in a row; it is 1.60",
        atMs: START_MS + 2 * MINUTE_MS,
      },
      {
        what: "mapping",
        from: "paused",
        to: "running",
        by: "flow-control",
        reason: "the highest load was below 0.7 in 2 runs in a row; it is 0.50",
        atMs: START_MS + 4 * MINUTE_MS,
      },
    ]);
    expect(logged).toEqual(records);
  });

  it("count only those of the topics that the mapping feeds", async () => {
    load = 2;
    await run(3, [{ ...forward, topics: ["clickstream"] }]);
    expect(updates).toEqual([]);
  });

  it("are not those of streams: what waits in the spillway itself does not pause it", async () => {
    waitingSinceMs = START_MS;
    await run(3);
    expect(updates).toEqual([]);
  });
});

describe("a mapping that is being changed", () => {
  it.each(["Updating", "Enabling", "Disabling", "Creating"])("is let alone while it is %s", async (state) => {
    load = 2;
    status = state;
    expect((await run(3)).metrics).toMatchObject({ MappingsChanging: 1, MappingsPaused: 0 });
    expect(updates).toEqual([]);
  });

  it("is let alone where Lambda refuses the update, and nothing is recorded", async () => {
    load = 2;
    busy = true;
    await run(2);
    expect(records).toEqual([]);
    busy = false;
    await run(1);
    expect(updates).toEqual([false]);
  });
});

describe("doubt", () => {
  beforeEach(pausedByLoad);

  it("resumes where no stage speaks", async () => {
    load = undefined;
    await run();
    expect(updates).toEqual([true]);
    expect(records[0]).toMatchObject({ to: "running", reason: "no stage says how loaded a topic of it is" });
  });

  it("resumes where the signals table is not read", async () => {
    signalsFail = true;
    expect((await run()).metrics).toMatchObject({ FlowControlTableFailures: 1 });
    expect(updates).toEqual([true]);
  });

  it("resumes where the control table is not read, even if nothing can be recorded", async () => {
    tableFails = new Set(["read", "record", "putState"]);
    const { failures } = await run();
    expect(failures).toEqual([]);
    expect(updates).toEqual([true]);
    expect(logged.at(-1)).toMatchObject({ to: "running", reason: "the control table was not read" });
  });

  it("resumes half way to the age at which records are given up, whatever the load", async () => {
    nowMs += maxPausedAgeMs(forward);
    await run();
    expect(updates).toEqual([true]);
    expect(records[0]?.reason).toContain("half of the 144 h");
  });

  it("counts from when the oldest record arrived, not from the pause", async () => {
    status = "Enabled";
    kept = undefined;
    waitingSinceMs = nowMs - 30 * HOUR_MS;
    await run(2);
    expect(updates).toEqual([false]);
    nowMs += maxPausedAgeMs(forward) - 30 * HOUR_MS;
    await run();
    expect(updates).toEqual([false, true]);
  });
});

describe("a pause that could not be remembered", () => {
  it("is not begun", async () => {
    load = 2;
    await run(1);
    tableFails = new Set(["putState"]);
    const { failures } = await run(1);
    expect(failures).toHaveLength(1);
    expect(updates).toEqual([]);
  });
});

describe("a mapping that somebody else has paused", () => {
  it("is recorded once, and resumed by load like any other", async () => {
    status = "Disabled";
    load = 1;
    await run(2);
    expect(records).toMatchObject([{ by: "unknown", to: "paused" }]);
    load = 0;
    await run(2);
    expect(updates).toEqual([true]);
  });
});

describe("an order", () => {
  const order: Override = { mode: "hold", by: "ann", reason: "a repair", sinceMs: START_MS };

  it("to hold is kept to at any load and without signals", async () => {
    override = order;
    load = undefined;
    await run(10);
    expect(updates).toEqual([false]);
    expect(records).toMatchObject([
      { to: "paused", by: "flow-control", reason: "hold ordered by ann: a repair" },
    ]);
  });

  it("to hold ends with the time that it was given for", async () => {
    override = { ...order, untilMs: START_MS + 3 * MINUTE_MS };
    await run(5);
    expect(updates).toEqual([false, true]);
    expect(override).toBeUndefined();
    expect(records[1]).toMatchObject({
      what: "override",
      from: "hold",
      to: "auto",
      reason: "its time is over",
    });
  });

  it("to hold ends half way to the age at which records are given up", async () => {
    override = order;
    await run();
    nowMs += maxPausedAgeMs(forward);
    await run(3);
    expect(updates).toEqual([false, true]);
    expect(override).toBeUndefined();
    expect(records.map(({ what, to }) => `${what} ${to}`)).toEqual([
      "mapping paused",
      "override auto",
      "mapping running",
    ]);
  });

  it("to drain resumes, and is kept to at any load", async () => {
    await pausedByLoad();
    override = { ...order, mode: "drain" };
    await run(10);
    expect(updates).toEqual([true]);
    expect(records).toMatchObject([{ to: "running", reason: "drain ordered by ann: a repair" }]);
  });

  it("that is given while one ends is not ended with it", async () => {
    const over = { ...order, untilMs: START_MS };
    const { read } = ports.table;
    const racing: FlowControlPorts = {
      ...ports,
      table: {
        ...ports.table,
        read: async (name) => {
          override = over;
          const items = await read(name);
          override = order;
          return items;
        },
      },
    };
    nowMs += MINUTE_MS;
    await runFlowControl([forward], async () => signals(), racing);
    expect(override).toBe(order);
    expect(records).toEqual([]);
  });
});

it("looks at every mapping, also where one fails", async () => {
  load = 2;
  const gone = { ...forward, name: "gone", uuid: "u-2" };
  const { failures, metrics } = await run(2, [gone, forward]);
  expect(failures).toHaveLength(1);
  expect(updates).toEqual([false]);
  expect(metrics).toMatchObject({ HighestLoad: 2 });
});
