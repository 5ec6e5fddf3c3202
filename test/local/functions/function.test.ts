/** Which execution environment of a function takes a request, and when one more is started. */
import { expect, it, onTestFinished } from "vitest";
import type { Environment, Outcome } from "../../../local/functions/environment.ts";
import { LambdaFunction, UnreservedConcurrency } from "../../../local/functions/function.ts";
import type { FunctionError } from "../../../local/functions/protocol.ts";

/** An environment whose init and whose answers come when they are told to. */
class FakeEnvironment {
  running = true;
  readonly #init = Promise.withResolvers<FunctionError | undefined>();
  readonly initialized = this.#init.promise;
  /** What it was given, in order. */
  readonly payloads: string[] = [];
  #answer: ((outcome: Outcome) => void) | undefined;

  async ready(error?: FunctionError): Promise<void> {
    this.#init.resolve(error);
    await settled();
  }

  invoke(payload: string): Promise<Outcome> {
    this.payloads.push(payload);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  async answer(outcome: Outcome = { ok: true, payload: "null" }): Promise<void> {
    this.#answer!(outcome);
    await settled();
  }

  async stop(): Promise<void> {}
}

/** Whatever follows from what was resolved has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function functionOf(reservedConcurrency = 10) {
  const environments: FakeEnvironment[] = [];
  const start = (): Environment => {
    const environment = new FakeEnvironment();
    environments.push(environment);
    return environment as unknown as Environment;
  };
  const lambda = new LambdaFunction(
    { reservedConcurrency } as LambdaFunction["definition"],
    start,
    new UnreservedConcurrency(0),
  );
  onTestFinished(() => lambda.stop());
  return { lambda, environments };
}

it("starts one for the first request, which is told how long that took, and keeps it for the next", async () => {
  const { lambda, environments } = functionOf();
  const first = lambda.invoke("1");
  await environments[0]!.ready();
  await environments[0]!.answer();
  expect(await first).toEqual({ kind: "answer", payload: "null", initMs: expect.any(Number) });
  const second = lambda.invoke("2");
  await settled();
  await environments[0]!.answer();
  expect(await second).toEqual({ kind: "answer", payload: "null", initMs: undefined });
  expect([environments.length, lambda.coldStarts, environments[0]!.payloads]).toEqual([1, 1, ["1", "2"]]);
});

it("starts one for each request that waits, and gives them to those in their order", async () => {
  const { lambda, environments } = functionOf();
  const answers = ["1", "2", "3"].map((payload) => lambda.invoke(payload));
  expect(environments).toHaveLength(3);
  for (const environment of environments.toReversed()) await environment.ready();
  expect(environments.map(({ payloads }) => payloads)).toEqual([["3"], ["2"], ["1"]]);
  for (const environment of environments) await environment.answer();
  expect((await Promise.all(answers)).every(({ kind }) => kind === "answer")).toBe(true);
});

it("gives a request that waits the one that is free first, and starts none where one that nobody waits for is starting", async () => {
  const { lambda, environments } = functionOf();
  const first = lambda.invoke("1");
  await environments[0]!.ready();
  const second = lambda.invoke("2");
  expect(environments).toHaveLength(2);
  await environments[0]!.answer();
  const third = lambda.invoke("3");
  expect(environments).toHaveLength(2);
  await environments[0]!.answer();
  expect(environments[0]!.payloads).toEqual(["1", "2", "3"]);
  await environments[1]!.ready();
  const fourth = lambda.invoke("4");
  await settled();
  expect(environments[1]!.payloads).toEqual(["4"]);
  await environments[0]!.answer();
  await environments[1]!.answer();
  const answers = await Promise.all([first, second, third, fourth]);
  const waited = answers.map((answer) => answer.kind === "answer" && answer.initMs !== undefined);
  expect(waited).toEqual([true, false, false, false]);
  expect(lambda.coldStarts).toBe(2);
});

it("counts those that wait, too, against its concurrency", async () => {
  const { lambda, environments } = functionOf(2);
  const answers = ["1", "2", "3"].map((payload) => lambda.invoke(payload));
  expect(await answers[2]).toEqual({ kind: "throttled" });
  for (const environment of environments) await environment.ready();
  await environments[0]!.answer();
  await answers[0];
  const fourth = lambda.invoke("4");
  await settled();
  for (const environment of environments) await environment.answer();
  expect(await fourth).toMatchObject({ kind: "answer" });
  expect([environments.length, lambda.throttles]).toEqual([2, 1]);
});

it("answers with why an environment could not start, and starts another for the next request", async () => {
  const { lambda, environments } = functionOf();
  const error = { errorType: "Runtime.ImportModuleError", errorMessage: "no module" };
  const first = lambda.invoke("1");
  await environments[0]!.ready(error);
  expect(await first).toEqual({ kind: "error", error });
  const second = lambda.invoke("2");
  await environments[1]!.ready();
  await environments[1]!.answer();
  expect(await second).toMatchObject({ kind: "answer" });
});

it("never uses one again that has ended", async () => {
  const { lambda, environments } = functionOf();
  const first = lambda.invoke("1");
  await environments[0]!.ready();
  environments[0]!.running = false;
  const error = { errorType: "Sandbox.Timedout", errorMessage: "too late" };
  await environments[0]!.answer({ ok: false, error });
  expect(await first).toEqual({ kind: "error", error });
  void lambda.invoke("2");
  expect(environments).toHaveLength(2);
});
