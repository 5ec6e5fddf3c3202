import { existsSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, isAbsolute, join, posix } from "node:path";
import type { ImageAsset } from "../assembly/load.ts";
import { AssemblyError } from "../errors.ts";

/** How to run what an image would hold, without building it. */
export interface ImageProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/**
 * Lays out the files that the Dockerfile's last stage copies, below `root`, and reads how to start it: ENV, WORKDIR,
 * COPY from the build context, ENTRYPOINT and CMD in exec form, with a Node.js program. Throws AssemblyError for
 * anything a build would have to do, as nothing is built here.
 */
export async function layOutImage(image: ImageAsset, root: string): Promise<ImageProcess> {
  const path = join(image.directory, image.dockerfile);
  const instructions = lastStage(parseDockerfile(await readFile(path, "utf8")));
  const environment: Record<string, string> = {};
  let workdir = "/";
  let entrypoint: string[] = [];
  let command: string[] = [];
  await mkdir(root, { recursive: true });
  for (const { name, rest } of instructions) {
    switch (name) {
      case "ENV":
        Object.assign(environment, assignments(rest));
        break;
      case "WORKDIR":
        workdir = posix.resolve(workdir, rest);
        break;
      case "COPY":
        await copy(image.directory, root, workdir, rest, path);
        break;
      case "ENTRYPOINT":
        entrypoint = execForm(rest, path);
        break;
      case "CMD":
        command = execForm(rest, path);
        break;
      case "RUN":
      case "ADD":
        throw new AssemblyError(
          `${path}: ${name} needs an image build, which local runs do not do. Put its result into the build context.`,
        );
    }
  }
  return { ...nodeProcess([...entrypoint, ...command], root, workdir, path), environment };
}

function parseDockerfile(text: string): Instruction[] {
  return text
    .replace(/\\\r?\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest: rest.trim() };
    });
}

const lastStage = (instructions: readonly Instruction[]): readonly Instruction[] =>
  instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM") + 1);

function assignments(rest: string): Record<string, string> {
  const pairs = [...rest.matchAll(/([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|\S*)/g)];
  return Object.fromEntries(pairs.map(([, key, value]) => [key!, value!.replace(/^"(.*)"$/, "$1")]));
}

function execForm(rest: string, path: string): string[] {
  try {
    const words = JSON.parse(rest) as unknown;
    if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  } catch {
    // Shell form is no JSON: the error below says what to write.
  }
  throw new AssemblyError(`${path}: ${rest} is not in exec form. Write CMD ["node", "main.mjs"].`);
}

async function copy(
  context: string,
  root: string,
  workdir: string,
  rest: string,
  path: string,
): Promise<void> {
  const words = rest.split(/\s+/);
  if (words.some((word) => word.startsWith("--from"))) {
    throw new AssemblyError(`${path}: COPY --from needs an image build, which local runs do not do.`);
  }
  const [destination = "./", ...sources] = words.filter((word) => !word.startsWith("--")).reverse();
  const to = join(root, posix.resolve(workdir, destination));
  for (const source of sources) {
    const from = join(context, source);
    if (!existsSync(from)) throw new AssemblyError(`${path}: COPY ${source}: no such file in ${context}.`);
    const intoDirectory = destination.endsWith("/") || destination === "." || sources.length > 1;
    await cp(from, intoDirectory && source !== "." ? join(to, basename(source)) : to, { recursive: true });
  }
}

/** The words as a run of this Node: images name theirs `node`, by path, or as their base image's entry point. */
function nodeProcess(
  words: readonly string[],
  root: string,
  workdir: string,
  path: string,
): Pick<ImageProcess, "command" | "args" | "directory"> {
  const rest = basename(words[0] ?? "") === "node" ? words.slice(1) : words;
  const args = rest.map((word) =>
    isAbsolute(word) && existsSync(join(root, word)) ? join(root, word) : word,
  );
  const directory = join(root, workdir);
  const program = args.find((word) => /\.[cm]?js$/.test(word));
  if (program === undefined || !existsSync(isAbsolute(program) ? program : join(directory, program))) {
    throw new AssemblyError(
      `${path}: ${JSON.stringify(words)} starts no Node.js program that the image's files hold. Local runs support only those.`,
    );
  }
  return { command: process.execPath, args, directory };
}
