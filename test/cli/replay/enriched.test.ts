import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../cli/command.ts";
import { Answers, readAnswers } from "../../../cli/replay/answers.ts";
import { seeded } from "../../../cli/replay/schedule.ts";
import { located, type Options, payment } from "../../processors/engine/enrich/enrich-fixture.ts";
import { runReplay } from "./run-replay.ts";

const CARDS = ["c1", "c2", "bad", null, "c3"];

const file = Array.from({ length: 300 }, (_, index) => {
  const fields = { user: `u${index % 7}`, t: index + ((index * 7) % 5), card: CARDS[index % CARDS.length]! };
  return `${JSON.stringify({ ...payment(fields).value, id: `p${index}` })}\n`;
}).join("");

describe("a replay of a pipeline that enriches", () => {
  test("calls the service once a question, and writes the same through crashes", async () => {
    const calls: string[] = [];
    const options: Options = {
      maxAttempts: 1,
      ask: async (card) => {
        calls.push(card);
        if (card === "bad") throw new Error("no such card");
        return `country of ${card}, asked as number ${calls.length}`;
      },
    };
    const run = (further: object) =>
      runReplay(
        located(options),
        { "payments-in": file },
        { partitions: 3, answers: new Answers(), ...further },
      );
    const answers = new Answers();
    const undisturbed = await run({ answers });
    expect(calls.sort()).toEqual(["bad", "c1", "c2", "c3"]);
    expect(undisturbed.output.filter(({ kind }) => kind === "dead")).toHaveLength(60);
    const disturbed = await run({ answers, checkpointEvery: 17, crashEvery: 11, schedule: seeded(5, 3) });
    expect(disturbed.text).toBe(undisturbed.text);
    expect(disturbed.summary.crashes).toBeGreaterThan(20);
    expect(calls).toHaveLength(4);
  });

  test("takes a file's answers instead", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spillway-answers-"));
    const path = join(folder, "answers.ndjson");
    writeFileSync(path, '{"question":"c1","answer":"FR"}\n\n{"question":"c2","failure":"unknown"}\n');
    try {
      const { output } = await runReplay(
        located({ onFailure: "skip", ask: () => Promise.reject(new Error("must not be called")) }),
        { "payments-in": file.split("\n").slice(0, 5).join("\n") },
        { answers: new Answers(readAnswers(path)) },
      );
      const countries = output.flatMap(
        ({ value }) => (value as { countries: { items: unknown[] } }).countries.items,
      );
      expect(countries.filter((country) => country !== null)).toEqual(["FR"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(["[1]", '{"question":"c1"}', '{"answer":1}', "no JSON"])(
    "refuses the line %s of answers",
    (line) => {
      const folder = mkdtempSync(join(tmpdir(), "spillway-answers-"));
      try {
        writeFileSync(join(folder, "answers"), `${line}\n`);
        expect(() => readAnswers(join(folder, "answers"))).toThrow(UsageError);
        expect(() => readAnswers(join(folder, "answers"))).toThrow("line 1: a line must be");
        expect(() => readAnswers(join(folder, "none"))).toThrow("cannot be read");
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
