import { describe, expect, it } from "vitest";
import { differs, ordered, pairModels, pairTasks } from "../../../src/pages/runs/compare";

const task = (
  taskId: string,
  took: string | undefined,
  attempt = 1,
  status = "TASK_STATUS_DONE" as const,
) => ({
  taskId,
  attempt,
  status,
  ...(took ? { took } : {}),
});
const pairs = pairTasks(
  [task("1", "2s"), task("2", "10s", 3), task("3", undefined, 1), task("4", "1s")],
  [task("1", "2s"), task("2", "4s", 1), task("3", "1s", 9), task("5", "1s")],
);

describe("the tasks of two executions", () => {
  it("are paired by id, with the second less the first", () => {
    expect(pairs.map(({ id, attempts, took }) => [id, attempts, took])).toEqual([
      ["1", 0, 0],
      ["2", -2, -6000],
      ["3", 8, undefined],
      ["4", undefined, undefined],
      ["5", undefined, undefined],
    ]);
  });

  it("come with the largest difference first, and before all what one of them lacks", () => {
    expect(ordered(pairs, "time").map(({ id }) => id)).toEqual(["4", "5", "2", "1", "3"]);
    expect(ordered(pairs, "attempts").map(({ id }) => id)).toEqual(["4", "5", "3", "2", "1"]);
  });

  it("are the same when nothing differs", () => {
    expect(pairs.filter((pair) => !differs(pair)).map(({ id }) => id)).toEqual(["1"]);
  });

  it("cost by model, estimates too", () => {
    const usage = (model: string, costNanos: string, inputTokens: string) => ({
      model,
      costNanos,
      inputTokens,
    });
    const first = { usage: [usage("a", "5", "10"), { model: "b", estimatedInputTokens: "7" }] };
    const second = { usage: [usage("a", "5", "10"), usage("c", "90", "1")] };
    expect(pairModels(first, second)).toEqual([
      { model: "c", tokens: [0, 1], nanos: [0, 90] },
      { model: "b", tokens: [7, 0], nanos: [0, 0] },
      { model: "a", tokens: [10, 10], nanos: [5, 5] },
    ]);
  });
});
