import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AssemblyError } from "../../../local/errors.ts";
import { layOutImage } from "../../../local/services/image.ts";

let directory: string;
let root: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "spillway-test-image-"));
  root = join(directory, "root");
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "main.mjs"), "");
  writeFileSync(join(directory, "assets", "data.txt"), "");
});
afterEach(() => rmSync(directory, { recursive: true }));

const layOut = (dockerfile: string) => {
  writeFileSync(join(directory, "Dockerfile"), dockerfile);
  return layOutImage({ directory, dockerfile: "Dockerfile" }, root);
};

describe("an image's files and command", () => {
  it("come from the last stage's instructions", async () => {
    const image = await layOut(
      [
        "FROM node AS build",
        "RUN make everything",
        "FROM node:24-slim",
        "ENV NODE_ENV=production \\",
        '  TEXT="two words"',
        "WORKDIR /app",
        "COPY --chown=node main.mjs ./",
        "COPY assets /app/assets",
        "USER node",
        'CMD ["node", "--enable-source-maps", "main.mjs"]',
      ].join("\n"),
    );
    expect(image).toEqual({
      command: process.execPath,
      args: ["--enable-source-maps", "main.mjs"],
      directory: join(root, "app"),
      environment: { NODE_ENV: "production", TEXT: "two words" },
    });
    expect(existsSync(join(root, "app/main.mjs"))).toBe(true);
    expect(existsSync(join(root, "app/assets/data.txt"))).toBe(true);
  });

  it.each<[string, string]>([
    ["an entry point and a command", 'ENTRYPOINT ["/usr/local/bin/node"]\nCMD ["/srv/main.mjs"]'],
    ["the entry point of its base image", 'CMD ["/srv/main.mjs"]'],
  ])("run by %s", async (_, commands) => {
    const image = await layOut(`FROM distroless\nCOPY main.mjs /srv/\n${commands}`);
    expect(image.args).toEqual([join(root, "srv/main.mjs")]);
  });

  it.each<[string, string, RegExp]>([
    ["a build step", "RUN npm ci", /RUN needs an image build/],
    ["another stage's files", "COPY --from=build /x /x", /COPY --from needs an image build/],
    ["a file that is not there", "COPY nothing.mjs ./", /COPY nothing\.mjs: no such file/],
    ["shell form", "CMD node main.mjs", /not in exec form/],
    ["another program", 'CMD ["java", "-jar", "x.jar"]', /starts no Node\.js program/],
    ["a program that was not copied", 'CMD ["node", "main.mjs"]', /starts no Node\.js program/],
  ])("cannot have %s", async (_, instruction, message) => {
    const attempt = layOut(`FROM node\nWORKDIR /app\n${instruction}`);
    await expect(attempt).rejects.toThrow(AssemblyError);
    await expect(attempt).rejects.toThrow(message);
  });
});
