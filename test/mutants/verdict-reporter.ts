/** Ends a run with one line of JSON: what became of each test, and what went wrong outside of them. */
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

export interface TestVerdict {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped" | "pending";
  /** Of its failure. */
  readonly message: string;
}

export interface Verdict {
  readonly tests: readonly TestVerdict[];
  /** Files that could not be loaded, hooks that failed, errors that nobody handled. */
  readonly errors: readonly string[];
}

export default class VerdictReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const verdict: Verdict = {
      tests: modules.flatMap((module) =>
        [...module.children.allTests()].map((test) => verdictOf(module.moduleId, test)),
      ),
      errors: [...modules.flatMap(errorsOf), ...unhandled].map(({ message }) => message),
    };
    console.log(JSON.stringify(verdict));
  }
}

function verdictOf(file: string, test: TestCase): TestVerdict {
  const { state, errors = [] } = test.result();
  return { file, name: test.fullName, state, message: errors.map(({ message }) => message).join("\n") };
}

const errorsOf = (module: TestModule) => [
  ...module.errors(),
  ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
];
