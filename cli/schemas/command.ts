/** `spillway schemas`: whether the event catalogue still takes what it took, and what of it is released. */
import { catalogue } from "../../contracts/events/catalogue.ts";
import { type Command, UsageError } from "../command.ts";
import { waysOut } from "./compatibility.ts";
import {
  compareWithReleases,
  RELEASES_DIRECTORY,
  readReleases,
  type Standing,
  writeRelease,
} from "./releases.ts";

const help = `Usage: spillway schemas check
       spillway schemas release

check compares the event catalogue (contracts/events) with what is released of it (contracts/events/released). It exits
with 1 where an event that is valid by a release would be refused, and where a change is not released yet.
release writes what changed as the next version of its type; it writes nothing if anything is incompatible.

  --help        this text`;

export const schemas: Command = {
  help,
  run: async (args) => {
    const [action, ...more] = args;
    if ((action !== "check" && action !== "release") || more.length > 0) {
      throw new UsageError("say check or release, and nothing else");
    }
    const standings = compareWithReleases(catalogue, await readReleases(RELEASES_DIRECTORY));
    const broken = standings.filter(({ kind }) => kind === "broken");
    const unreleased = standings.filter(({ kind }) => kind === "unreleased");
    if (broken.length > 0 || (action === "check" && unreleased.length > 0)) {
      console.error([...broken, ...unreleased].map(standingText).join("\n"));
      return 1;
    }
    for (const { release } of unreleased) await writeRelease(RELEASES_DIRECTORY, release);
    console.log(action === "check" ? standings.map(standingText).join("\n") : releasedText(unreleased));
    return 0;
  },
};

/** What is to be said of one type: a line, or one for each thing that broke and another for the way out. */
export function standingText(standing: Standing): string {
  const { type, version } = standing.release;
  switch (standing.kind) {
    case "released":
      return `${type}: version ${version}, as released`;
    case "unreleased":
      return `${type}: version ${version} is compatible; spillway schemas release writes it down`;
    case "broken":
      return standing.breaks
        .flatMap(({ rule, pointer, detail }) => [
          `${type} ${pointer}: ${rule}: ${detail} (version ${version})`,
          `  ${waysOut[rule]}${rule === "type-removed" ? "" : ` Or define ${successor(type)} beside it.`}`,
        ])
        .join("\n");
  }
}

function releasedText(written: readonly Standing[]): string {
  if (written.length === 0) return "nothing has changed since the last release";
  return written.map(({ release }) => `${release.type}: released version ${release.version}`).join("\n");
}

/** What a type is called that takes another's place: CloudEvents' primer puts the version into the type's name. */
function successor(type: string): string {
  const [, base, number] = /^(.*?)(?:\.v(\d+))?$/s.exec(type)!;
  return `${base}.v${Number(number ?? 1) + 1}`;
}
