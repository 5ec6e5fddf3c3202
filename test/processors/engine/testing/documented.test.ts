import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("docs/testing.md shows the example that is run here", () => {
  const [, shown] = read("../../../../docs/testing.md").match(/```ts\n(.*?)```/s)!;

  expect(shown).toBe(read("./example.test.ts"));
});
