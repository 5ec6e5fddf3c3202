/**
 * Watches the main thread of the process that it is loaded into (`node --import loop-probe.ts …`): once a second, and at
 * the end, a line of JSON on standard output, `{"probe": ProbeLine}`.
 */
import { PerformanceObserver, performance } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** A timer that is late was held up, by whatever the thread did. */
const TICK_MS = 5;
const LEAST_PAUSE_MS = 1;
const LINE_MS = 1_000;
const MS_PER_US = 0.001;

export interface Pause {
  readonly wallMs: number;
  /** Of the thread's processor time; much less than `wallMs` where others had the core. */
  readonly cpuMs: number;
}

export interface ProbeLine {
  /** What it tells of, in milliseconds. */
  readonly spanMs: number;
  readonly pauses: readonly Pause[];
  /** Of the garbage collector, in milliseconds each. */
  readonly collectionsMs: readonly number[];
}

if (isMainThread) watch();

function watch(): void {
  let pauses: Pause[] = [];
  let collectionsMs: number[] = [];
  let [tickedMs, toldMs] = [performance.now(), performance.now()];
  let tickedCpuMs = cpuMs();
  const tick = (): void => {
    const [nowMs, nowCpuMs] = [performance.now(), cpuMs()];
    const wallMs = nowMs - tickedMs - TICK_MS;
    if (wallMs >= LEAST_PAUSE_MS) pauses.push({ wallMs, cpuMs: nowCpuMs - tickedCpuMs });
    [tickedMs, tickedCpuMs] = [nowMs, nowCpuMs];
  };
  const tell = (): void => {
    const nowMs = performance.now();
    const line: ProbeLine = { spanMs: nowMs - toldMs, pauses, collectionsMs };
    console.log(JSON.stringify({ probe: line }));
    [pauses, collectionsMs, toldMs] = [[], [], nowMs];
  };
  setInterval(tick, TICK_MS).unref();
  setInterval(tell, LINE_MS).unref();
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectionsMs.push(duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  process.on("exit", tell);
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * MS_PER_US;
}
