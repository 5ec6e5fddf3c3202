import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const app = fileURLToPath(new URL("../../bin/spillway.ts", import.meta.url));

describe("bin/spillway.ts", () => {
  let outdir: string;
  let synth: ReturnType<typeof run>;
  beforeAll(() => {
    outdir = mkdtempSync(join(tmpdir(), "spillway-cdk-out-"));
    synth = run({});
  }, 60_000);
  afterAll(() => rmSync(outdir, { recursive: true, force: true }));

  /** No account, no region, no home: only what finds Node. */
  function run(context: Readonly<Record<string, unknown>>) {
    const env = {
      PATH: dirname(process.execPath),
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    };
    return spawnSync(process.execPath, [app], { env, encoding: "utf8" });
  }

  const read = (name: string) => JSON.parse(readFileSync(join(outdir, name), "utf8"));

  test("synthesizes dev with no account and no credentials", () => {
    expect(synth.stderr).not.toMatch(/error/i);
    expect(synth.status).toBe(0);
    const stacks = ["Network", "Transport", "Ingestion", "Processing", "Serving"];
    const manifest = read("manifest.json");
    expect(Object.keys(manifest.artifacts)).toEqual(
      expect.arrayContaining(stacks.map((name) => `Spillway-dev-${name}`)),
    );
    // What synth would have to ask an account.
    expect(manifest.missing).toBeUndefined();
  });

  test("puts the processor's bundle beside the Dockerfile that copies it", () => {
    const { dockerImages } = read("Spillway-dev-Processing.assets.json");
    const [image] = Object.values<{ source: { directory: string; platform: string } }>(dockerImages);
    const folder = join(outdir, image?.source.directory ?? "");

    expect(image?.source.platform).toBe("linux/arm64");
    expect(readFileSync(join(folder, "Dockerfile"), "utf8")).toContain("COPY main.mjs healthcheck.mjs ./");
    expect(readFileSync(join(folder, "healthcheck.mjs")).length).toBeGreaterThan(0);
    expect(readFileSync(join(folder, "main.mjs")).length).toBeGreaterThan(0);
  });

  test("refuses an environment that there is not, and says which there are", () => {
    const { status, stderr } = run({ environment: "moon" });

    expect(status).not.toBe(0);
    expect(stderr).toContain('environment is "moon"; it must be one of dev');
  });
});
