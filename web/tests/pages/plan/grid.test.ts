import { describe, expect, it } from "vitest";
import type { LayoutJson } from "../../../src/api";
import { nextCell, opened, reached, tasksIn, timetableOf } from "../../../src/pages/plan/grid";

const layout: LayoutJson = {
  cells: [
    { taskId: "1_1", column: 1 },
    { taskId: "1_2", column: 1, row: 1 },
    { taskId: "2", column: 2 },
    { taskId: "3", column: 4, row: 1 },
  ],
  isolatedTaskIds: ["9"],
  nodes: [
    { taskId: "1" },
    { taskId: "1_1", parentId: "1", atomic: true, stage: 1, description: "a" },
    { taskId: "1_2", parentId: "1", atomic: true, stage: 1 },
    { taskId: "2", atomic: true, stage: 2 },
    { taskId: "3", atomic: true, stage: 4 },
    { taskId: "9", atomic: true, stage: 1 },
  ],
  edges: [
    { fromId: "1", toId: "2" },
    { fromId: "2", toId: "3" },
  ],
};

describe("the timetable of a map", () => {
  const table = timetableOf(layout);

  it("has a column for each stage, also for an empty one", () => {
    expect(table.columns.map((column) => column.map(({ id }) => id))).toEqual([
      ["1_1", "1_2"],
      ["2"],
      [],
      ["3"],
    ]);
    expect(table.rows).toBe(2);
    expect(table.isolated).toEqual(["9"]);
  });

  it("draws an edge of a group as lines of its tasks", () => {
    expect(table.lines).toEqual([
      ["1_1", "2"],
      ["1_2", "2"],
      ["2", "3"],
    ]);
    expect(tasksIn(table.entries, "1")).toEqual(["1_1", "1_2"]);
  });

  it("knows what is around a task, through its groups", () => {
    expect([...reached(table, "2", table.before)]).toEqual(["1_1", "1_2"]);
    expect([...reached(table, "1_1", table.after)]).toEqual(["2"]);
  });

  it("leads the arrow keys over empty columns, and nowhere at the edge", () => {
    const at = (id: string) => table.cells.get(id)!;
    expect(nextCell(table, at("2"), "ArrowRight")?.id).toBe("3");
    expect(nextCell(table, at("3"), "ArrowLeft")?.id).toBe("2");
    expect(nextCell(table, at("1_1"), "ArrowDown")?.id).toBe("1_2");
    expect(nextCell(table, at("1_1"), "ArrowUp")).toBeUndefined();
    expect(nextCell(table, at("3"), "ArrowRight")).toBeUndefined();
  });

  it("shows the tree without what is in closed groups", () => {
    expect(opened(table.top, new Set()).map(({ id, depth }) => `${id}:${depth}`)).toEqual([
      "1:0",
      "1_1:1",
      "1_2:1",
      "2:0",
      "3:0",
      "9:0",
    ]);
    expect(opened(table.top, new Set(["1"])).map(({ id }) => id)).toEqual(["1", "2", "3", "9"]);
  });

  it("draws no lines when there would be too many", () => {
    const many = Array.from({ length: 601 }, (_, n) => ({ fromId: "2", toId: n % 2 ? "3" : "1_1" }));
    expect(timetableOf({ ...layout, edges: many }).lines).toEqual([]);
  });
});
