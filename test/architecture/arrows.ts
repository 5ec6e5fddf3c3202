/** The arrows of docs/design.md, section 3: who may import from where. */
import { COMPUTED, type Module } from "./imports.ts";

interface Room {
  /** The folder, or the one file; the longest that fits a module is its room. */
  readonly path: string;
  /** Folders and files it may import from, beside its own. */
  readonly mayImport: readonly string[];
  /** Packages and Node's own modules it may import. @default any */
  readonly packages?: readonly string[];
}

const ENGINE_PORTS = [
  "processors/engine/checkpoint/store.ts",
  "processors/engine/log/port.ts",
  "processors/engine/worker/ports.ts",
];

/** `node:crypto` hashes; the engine has no clock, no I/O and no randomness. */
const PURE = ["node:crypto"];

const rooms: readonly Room[] = [
  { path: "bin", mayImport: ["lib", "processors/pipelines"] },
  { path: "cli", mayImport: ["contracts", "processors/adapters", "processors/engine", "runtime"] },
  // An environment's sizes, which no template states.
  { path: "cli/cost", mayImport: ["cli", "contracts", "lib/config"] },
  { path: "clients", mayImport: ["contracts", "flow"] },
  { path: "contracts", mayImport: [], packages: ["typebox"] },
  // Control algorithms that are told the time.
  { path: "flow", mayImport: [], packages: [] },
  { path: "lambdas", mayImport: ["contracts", "flow", "runtime"] },
  { path: "lib", mayImport: ["contracts", "processors/pipelines"] },
  { path: "local", mayImport: ["contracts"] },
  { path: "processors", mayImport: ["contracts", "flow", "runtime"] },
  { path: "processors/adapters", mayImport: ["contracts", "runtime", ...ENGINE_PORTS] },
  { path: "processors/engine", mayImport: ["contracts", "flow"], packages: PURE },
  // The DSL: pipelines import it, and synth imports pipelines.
  {
    path: "processors/engine/pipeline",
    mayImport: [
      "contracts",
      "processors/engine/aggregates",
      "processors/engine/operators",
      "processors/engine/windows",
    ],
    packages: [],
  },
  { path: "processors/pipelines", mayImport: ["contracts", "processors/engine/pipeline"], packages: [] },
  { path: "runtime", mayImport: ["contracts", "flow"] },
  { path: "vitest.config.ts", mayImport: [] },
];

/** Nobody imports from these but they themselves and their tests. */
const closed = ["bench", "lambdas", "local"];

/** May import a module whose path it is told: a function's bundle, a command's pipeline, what a benchmark compares with. */
const loaders = ["local/functions/bootstrap.ts", "cli/pipelines/load.ts", "bench/ingest/cases.ts"];

/** A sentence for each import that points against an arrow. */
export function violations(modules: readonly Module[]): readonly string[] {
  return modules.flatMap((module) =>
    module.imports
      .filter((target) => !isAllowed(module.path, target))
      .map((target) => `${module.path} imports ${target}`),
  );
}

function isAllowed(path: string, target: string): boolean {
  if (target === COMPUTED) return loaders.includes(path) || isWithin(path, "test");
  const intoClosed = closed.find((folder) => isWithin(target, folder));
  if (intoClosed) return isWithin(path, intoClosed) || isWithin(path, `test/${intoClosed}`);
  if (isWithin(path, "test") || isWithin(path, "bench")) return true;
  if (isWithin(target, "processors/adapters") && !isWithin(path, "processors/adapters")) {
    return path === "processors/processor.ts" || isWithin(path, "cli");
  }
  const room = roomOf(path);
  if (!room) return false;
  if (!isSource(target)) return room.packages === undefined || room.packages.includes(target);
  return [room.path, ...room.mayImport].some((folder) => isWithin(target, folder));
}

function roomOf(path: string): Room | undefined {
  const fitting = rooms.filter((room) => isWithin(path, room.path));
  return fitting.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** A file of this repository, not a package or one of Node's modules. */
const isSource = (target: string) => /\.(ts|mjs)$/.test(target) && !target.startsWith("node:");

const isWithin = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
