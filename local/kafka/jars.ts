import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PrerequisiteError } from "../errors.ts";

const run = promisify(execFile);
const POM = join(import.meta.dirname, "pom.xml");
const MIN_JAVA = 17;
const JAVA_INSTALL = "Debian: apt-get install -y openjdk-17-jre-headless";
const MAVEN_INSTALL = "Debian: apt-get install -y openjdk-17-jre-headless maven";
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * The directory of Kafka's jars. They come from Maven Central once and stay in the user's cache; the pom's hash
 * in the name makes another version another directory. Throws PrerequisiteError without Java 17, or without Maven
 * where they still have to be fetched.
 */
export async function kafkaJars(say: (line: string) => void): Promise<string> {
  await requireJava();
  const cache = join(
    process.env.XDG_CACHE_HOME || join(homedir() || userInfo().homedir, ".cache"),
    "spillway",
  );
  const hash = createHash("sha256")
    .update(await readFile(POM))
    .digest("hex")
    .slice(0, 12);
  const jars = join(cache, `kafka-${hash}`);
  if (existsSync(jars)) return jars;
  await requireMaven();
  say("Fetching Apache Kafka from Maven Central (about 45 MB, once) …");
  await mkdir(cache, { recursive: true });
  const partial = `${jars}.${randomUUID()}`;
  try {
    await fetchJars(partial);
    await rename(partial, jars);
  } catch (cause) {
    // Another first run may have finished meanwhile: its directory is as good, and a rename onto it fails.
    if (!existsSync(jars)) throw cause;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return jars;
}

async function fetchJars(directory: string): Promise<void> {
  try {
    await run(
      "setpriv",
      [
        "--pdeathsig",
        "KILL",
        "--",
        "mvn",
        "--batch-mode",
        "--quiet",
        `--file=${POM}`,
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${directory}`,
      ],
      { timeout: DOWNLOAD_TIMEOUT_MS },
    );
  } catch (cause) {
    const output = String((cause as { stdout?: string }).stdout ?? "").trim();
    throw new PrerequisiteError(
      `Maven could not fetch Apache Kafka. Check that Maven Central (or your mirror) can be reached and run again.\n${output}`,
      { cause },
    );
  }
}

async function requireJava(): Promise<void> {
  let output: string;
  try {
    output = (await run("java", ["-version"])).stderr;
  } catch (cause) {
    throw new PrerequisiteError(
      `Java is not installed; Kafka needs Java ${MIN_JAVA} or later. ${JAVA_INSTALL}`,
      { cause },
    );
  }
  const major = Number(/version "(\d+)/.exec(output)?.[1]);
  if (!(major >= MIN_JAVA)) {
    throw new PrerequisiteError(`Kafka needs Java ${MIN_JAVA} or later, found ${major}. ${JAVA_INSTALL}`);
  }
}

async function requireMaven(): Promise<void> {
  try {
    await run("mvn", ["--version"]);
  } catch (cause) {
    throw new PrerequisiteError(
      `Maven is not installed; the first run needs it to fetch Apache Kafka. ${MAVEN_INSTALL}`,
      { cause },
    );
  }
}
