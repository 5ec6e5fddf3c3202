/** Builds the Java programs that the benchmarks compare with, and fetches what they need. */
import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "kafka-streams");

/**
 * The folder of all jars. Maven makes it once, in the user's cache; the hash of the sources in the name makes another
 * version another folder. Throws where Java's compiler or Maven is missing, or Maven Central cannot be reached.
 */
export function streamsJars(): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "spillway");
  const hash = createHash("sha256");
  for (const source of globSync("**/*.{xml,java}", { cwd: SOURCES }).toSorted()) {
    hash.update(readFileSync(join(SOURCES, source)));
  }
  const jars = join(cache, `bench-kafka-streams-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(jars)) return jars;
  mkdirSync(cache, { recursive: true });
  const partial = `${jars}.${randomUUID()}`;
  try {
    build(join(partial, "output"), join(partial, "jars"));
    renameSync(join(partial, "jars"), jars);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return jars;
}

function build(output: string, jars: string): void {
  const maven = ["--batch-mode", "--quiet", `--file=${join(SOURCES, "pom.xml")}`, `-Doutput=${output}`];
  const goals = [
    "package",
    "dependency:copy-dependencies",
    "-DincludeScope=runtime",
    `-DoutputDirectory=${jars}`,
  ];
  console.error("Fetching and building Kafka Streams with Maven (about 90 MB, once) …");
  const { status, error } = spawnSync("mvn", [...maven, `-DjarDirectory=${jars}`, ...goals], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) return;
  throw new Error(
    `Maven could not build ${SOURCES} (${error?.message ?? `status ${status}`}). It needs a JDK of Java 17 or later, ` +
      "Maven and Maven Central; Debian: apt-get install -y openjdk-17-jdk-headless maven",
  );
}
