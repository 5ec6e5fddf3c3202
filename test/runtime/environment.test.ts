import { afterEach, expect, it, vi } from "vitest";
import { requireEnvironment, requireEnvironmentList } from "../../runtime/environment.ts";

afterEach(() => vi.unstubAllEnvs());

it("reads a variable", () => {
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "dev");
  expect(requireEnvironment("SPILLWAY_ENVIRONMENT")).toBe("dev");
});

it.each([undefined, ""])("names a variable that is missing, and what to do (%j)", (value) => {
  vi.stubEnv("SPILLWAY_ENVIRONMENT", value);
  expect(() => requireEnvironment("SPILLWAY_ENVIRONMENT")).toThrow(
    expect.objectContaining({
      code: "CONFIGURATION",
      message: expect.stringContaining("SPILLWAY_ENVIRONMENT"),
      next: expect.stringContaining("Set it"),
    }),
  );
});

it("reads a list", () => {
  vi.stubEnv("SPILLWAY_PIPELINES", "airport-delays, other,,");
  expect(requireEnvironmentList("SPILLWAY_PIPELINES")).toEqual(["airport-delays", "other"]);
});
