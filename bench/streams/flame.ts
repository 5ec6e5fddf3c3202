/** A V8 CPU profile as a flame graph, and as the functions that took most of it. */

/** What of a `.cpuprofile` is used (Chrome DevTools Protocol, Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    /** Lines are counted from 0. */
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Which source a line of the bundle is from; undefined before the first. */
export type ModuleAt = (line: number) => string | undefined;

/** By the comments that esbuild writes before each module of a bundle that is not minified. */
export function modulesOf(bundle: string): ModuleAt {
  const starts = bundle.split("\n").flatMap((text, line) => {
    const path = /^\/\/ ((?:\w|[@.-])+\/[^ ]+\.\w+)$/.exec(text)?.[1];
    return path === undefined ? [] : [{ line, path }];
  });
  return (line) => starts.findLast((start) => start.line <= line)?.path;
}

/** A call, all calls of the same name from the same caller together. */
export interface Frame {
  readonly name: string;
  /** The package, or the folder of ours, that it is from. */
  readonly part: string;
  selfMicros: number;
  readonly callees: Map<string, Frame>;
}

const WIDTH = 1_200;
const ROW = 17;
/** Narrower ones are left out: nobody could point at them. */
const MIN_WIDTH = 0.5;
const CHARACTER_WIDTH = 6.5;
const IDLE = new Set(["(idle)", "(program)"]);

/** The calls of a profile from their root; the time in which nothing ran is left out. */
export function framesOf({ nodes, samples, timeDeltas }: CpuProfile, moduleAt: ModuleAt): Frame {
  const micros = new Map<number, number>();
  for (const [index, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + timeDeltas[index]!);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const root: Frame = { name: "all", part: "", selfMicros: 0, callees: new Map() };
  const add = (id: number, caller: Frame): void => {
    const { callFrame, children = [] } = byId.get(id)!;
    if (IDLE.has(callFrame.functionName)) return;
    const source = sourceOf(callFrame, moduleAt);
    const name = `${callFrame.functionName || "(anonymous)"} ${source}`.trim();
    const frame = caller.callees.get(name) ?? {
      name,
      part: partOf(source, name),
      selfMicros: 0,
      callees: new Map(),
    };
    caller.callees.set(name, frame);
    frame.selfMicros += micros.get(id) ?? 0;
    for (const child of children) add(child, frame);
  };
  for (const child of nodes[0]!.children ?? []) add(child, root);
  return root;
}

type CallFrame = CpuProfile["nodes"][number]["callFrame"];

function sourceOf({ url, lineNumber }: CallFrame, moduleAt: ModuleAt): string {
  if (url === "" || url.startsWith("node:")) return url;
  return moduleAt(lineNumber)?.replace(/^node_modules\//, "") ?? "";
}

/** `kafkajs`, `@aws-sdk`, `processors/engine`, `node`; of the virtual machine's own, what it did. */
function partOf(source: string, name: string): string {
  if (source === "") return name;
  if (source.startsWith("node:")) return "Node.js";
  const [first, second] = source.split("/");
  return first === "processors" ? `${first}/${second}` : first!;
}

const totalOf = (frame: Frame): number =>
  [...frame.callees.values()].reduce((sum, callee) => sum + totalOf(callee), frame.selfMicros);

export interface Share {
  readonly name: string;
  /** Of all of the time; from 0 to 1. */
  readonly share: number;
}

/** What took most by itself, what it called left out: functions by their name, or parts. */
export function hottest(root: Frame, by: "name" | "part", count: number): readonly Share[] {
  const selfMicros = new Map<string, number>();
  const visit = (frame: Frame): void => {
    selfMicros.set(frame[by], (selfMicros.get(frame[by]) ?? 0) + frame.selfMicros);
    for (const callee of frame.callees.values()) visit(callee);
  };
  visit(root);
  const total = Math.max(1, totalOf(root));
  return [...selfMicros]
    .map(([name, micros]) => ({ name, share: micros / total }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, count);
}

/** Callers below their callees, as wide as they took time; a browser shows name and share of each under the pointer. */
export function flameSvg(root: Frame): string {
  const total = Math.max(1, totalOf(root));
  const shapes: { readonly depth: number; readonly svg: (height: number) => string }[] = [];
  const place = (frame: Frame, left: number, depth: number): void => {
    const width = (totalOf(frame) / total) * WIDTH;
    if (width < MIN_WIDTH) return;
    shapes.push({ depth, svg: (height) => shapeOf(frame.name, left, width, height - (depth + 1) * ROW) });
    let next = left;
    for (const callee of [...frame.callees.values()].toSorted((a, b) => totalOf(b) - totalOf(a))) {
      place(callee, next, depth + 1);
      next += (totalOf(callee) / total) * WIDTH;
    }
  };
  place(root, 0, 0);
  const height = (Math.max(...shapes.map(({ depth }) => depth)) + 1) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${shapes.map(({ svg }) => svg(height)).join("\n")}
</svg>
`;
}

function shapeOf(name: string, left: number, width: number, top: number): string {
  const share = ((width / WIDTH) * 100).toFixed(1);
  const characters = Math.floor(width / CHARACTER_WIDTH);
  const label =
    characters < 3
      ? ""
      : `<text x="${(left + 2).toFixed(1)}" y="${top + 12}">${escaped(name.slice(0, characters))}</text>`;
  return (
    `<g><title>${escaped(name)}: ${share} %</title>` +
    `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colorOf(name)}"/>${label}</g>`
  );
}

/** Warm, and the same for a name wherever it is. */
function colorOf(name: string): string {
  const hash = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 997, 7);
  return `hsl(${20 + (hash % 40)} 80% ${62 + (hash % 17)}%)`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
