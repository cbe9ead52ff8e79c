import { describe, expect, it } from "vitest";
import type { MapJson } from "../../../src/api";
import { compareMaps, shownAs } from "../../../src/pages/plan/compare";

const task = (taskId: string, stage: number, waitsFor: number[] = [], more = {}) => ({
  spec: { taskId, description: `do ${taskId}`, ...more },
  stage,
  waitsFor,
});
// Tasks are 0…, groups follow them: so the same number means another task in each map.
const before: MapJson = {
  tasks: [task("1_1", 1), task("2", 2, [3]), task("3", 3, [1])],
  groups: [{ taskId: "1" }],
};

describe("two maps", () => {
  it("are the same as themselves", () => {
    expect(compareMaps(before, structuredClone(before))).toEqual({
      added: [],
      removed: [],
      changed: [],
      same: 3,
    });
  });

  it("differ in tasks that are new and gone, and numbers that moved change nothing", () => {
    const after: MapJson = {
      tasks: [task("0", 1), task("1_1", 1), task("2", 2, [3])],
      groups: [{ taskId: "1" }],
    };
    expect(compareMaps(before, after)).toEqual({ added: ["0"], removed: ["3"], changed: [], same: 2 });
  });

  it("differ in what a task is told, waits for, and in its stage", () => {
    const after = structuredClone(before);
    after.tasks![1] = { ...task("2", 1, [], { output: { artifact: "x" } }), dataDependencies: [0] };
    expect(compareMaps(before, after).changed).toEqual([
      {
        id: "2",
        parts: [{ part: "output", before: undefined, after: { artifact: "x" } }],
        waitsMore: ["1_1"],
        waitsLess: ["1"],
        stage: [2, 1],
      },
    ]);
  });

  it("show a text as it is, and all else as JSON", () => {
    expect([shownAs(undefined), shownAs("a\nb"), shownAs({ a: 1 })]).toEqual(["", "a\nb", '{\n  "a": 1\n}']);
  });

  it("do not differ in the order of keys", () => {
    const one: MapJson = { tasks: [task("1", 1, [], { executor: { labels: { a: "1", b: "2" } } })] };
    const other: MapJson = { tasks: [task("1", 1, [], { executor: { labels: { b: "2", a: "1" } } })] };
    expect(compareMaps(one, other).same).toBe(1);
  });
});
