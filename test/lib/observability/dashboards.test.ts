import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, test } from "vitest";
import { metrics } from "../../../contracts/metrics.ts";
import { pipelines } from "../../../processors/pipelines/all.ts";
import { dev, resources, synthesize } from "../synthesize.ts";
import { added } from "./added-pipeline.ts";
import { emittedMetrics, unemitted } from "./emitted.ts";
import { alarmsIn, nameOf, textOf, type UsedMetric } from "./templates.ts";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

/** By name. */
let dashboards: ReadonlyMap<string, readonly Widget[]>;
let template: Template;
beforeAll(() => {
  template = synthesize({
    pipelines: [...pipelines, added],
    config: { ...dev, watching: "all" },
  }).observability;
  const bodies = resources(template, "AWS::CloudWatch::Dashboard").map(({ Properties }) => [
    Properties.DashboardName as string,
    // Throws where it is no JSON.
    JSON.parse(textOf(Properties.DashboardBody)).widgets as readonly Widget[],
  ]);
  dashboards = new Map(bodies as [string, readonly Widget[]][]);
});

const everyWidget = () => [...dashboards.values()].flat();

/** A line of a graph that is a metric, and no expression: `[namespace, name, dimension, value, …, options]`. */
function metricsOf({ properties }: Widget): readonly UsedMetric[] {
  return (properties.metrics ?? []).flatMap((line) => {
    if (typeof line[0] !== "string") return [];
    const [namespace, name, ...rest] = line as string[];
    const options = rest.at(-1) as unknown as { readonly stat?: string };
    const pairs = typeof options === "object" ? rest.slice(0, -1) : rest;
    const dimensions = Object.fromEntries(
      pairs.flatMap((each, index) => (index % 2 === 0 ? [[each, pairs[index + 1]!]] : [])),
    );
    return [{ namespace: namespace!, name: name!, dimensions, statistic: options.stat ?? "Average" }];
  });
}

test("there is one of the platform, and one of each pipeline", () => {
  expect([...dashboards.keys()]).toEqual([
    "spillway-dev-platform",
    ...[...pipelines, added].map(({ name }) => `spillway-dev-pipeline-${name}`),
  ]);
  for (const name of dashboards.keys()) expect(name).toMatch(/^[\w-]{1,255}$/);
});

describe("every widget", () => {
  test("is of a type that CloudWatch knows, and has what that type needs", () => {
    for (const { type, properties } of everyWidget()) {
      switch (type) {
        case "metric":
          expect(properties.title).toMatch(/\w/);
          expect(properties.metrics!.length).toBeGreaterThan(0);
          break;
        case "alarm":
          expect(properties.alarms!.length).toBeGreaterThan(0);
          // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
          expect(properties.alarms!.length).toBeLessThanOrEqual(100);
          break;
        case "text":
          expect(properties.markdown).toMatch(/^#/);
          break;
        default:
          expect.fail(`CloudWatch draws no widget of the type ${type}`);
      }
    }
  });

  test("lies on the grid of 24, and none on another", () => {
    for (const widgets of dashboards.values()) {
      const taken = new Set<string>();
      for (const { x, y, width, height } of widgets) {
        expect(x + width).toBeLessThanOrEqual(24);
        for (let column = x; column < x + width; column += 1) {
          for (let line = y; line < y + height; line += 1) {
            expect(taken).not.toContain(`${column},${line}`);
            taken.add(`${column},${line}`);
          }
        }
      }
    }
  });

  test("shows metrics that somebody emits, under the dimensions under which they are emitted", () => {
    const emitted = emittedMetrics();
    const used = everyWidget().flatMap(metricsOf);
    expect(used.length).toBeGreaterThan(200);
    expect(used.flatMap((metric) => unemitted(metric, emitted) ?? [])).toEqual([]);
  });

  test("has expressions of metrics that it lists", () => {
    for (const { properties } of everyWidget()) {
      const options = (properties.metrics ?? []).map(
        (line) => line.at(-1) as { id?: string; expression?: string },
      );
      const ids = new Set(options.flatMap(({ id }) => id ?? []));
      for (const { expression } of options) {
        const named = expression?.match(/\b[a-z]\w*\b(?!\()/g) ?? [];
        expect(named.filter((id) => !ids.has(id))).toEqual([]);
      }
    }
  });
});

test("a pipeline's dashboard shows everything that its processors say, for each of its stages", () => {
  const used = dashboards.get("spillway-dev-pipeline-added")!.flatMap(metricsOf);
  const { resultsWritten: _, ...shown } = metrics.processor;
  for (const stage of ["added.by-place", "added"]) {
    const names = new Set(
      used.filter(({ dimensions }) => dimensions.stage === stage).map(({ name }) => name),
    );
    expect(Object.values(shown).filter((name) => !names.has(name))).toEqual([]);
  }
});

test("and its own alarms, of all of its stages", () => {
  const widget = dashboards.get("spillway-dev-pipeline-added")!.find(({ type }) => type === "alarm")!;
  const own = alarmsIn(template)
    .map(nameOf)
    .filter((name) => name.startsWith("spillway-dev-pipeline-added"));
  // And the composite.
  expect(widget.properties.alarms).toHaveLength(own.length + 1);
});
