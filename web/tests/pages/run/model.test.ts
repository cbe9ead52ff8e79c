import { describe, expect, it } from "vitest";
import { downstream } from "../../../src/pages/run/model/downstream";
import { EVERYTHING, ordered } from "../../../src/pages/run/model/filter";
import { modelOf } from "../../../src/pages/run/model/model";
import { nextNode } from "../../../src/pages/run/model/moves";
import { ExecutionFold } from "../../../src/store/fold";
import { DONE, EXECUTION_FAILED } from "../../../src/store/status";
import { IDS, LAYOUT } from "./layout";

const model = modelOf(LAYOUT, IDS);
const ids = (nodes: readonly { id: string }[]) => nodes.map(({ id }) => id);

function fold(): ExecutionFold {
  const begun = new ExecutionFold();
  begun.begin({
    execution: {},
    tasks: IDS.map((taskId) => ({
      taskId,
      status:
        taskId === "3"
          ? "TASK_STATUS_EXECUTION_FAILED"
          : taskId === "2"
            ? "TASK_STATUS_DONE"
            : "TASK_STATUS_UNDONE",
      lastFailure: taskId === "3" ? "the Editor was away" : "",
    })),
  });
  return begun;
}

describe("the model of a run", () => {
  it("has groups before what is in them, with the numbers of their tasks", () => {
    expect(model.tree.map(({ id, depth, tasks }) => [id, depth, tasks])).toEqual([
      ["1", 0, [0, 1, 2]],
      ["1_1", 1, [0]],
      ["1_2", 1, [1]],
      ["1_3", 1, [2]],
      ["2", 0, [3]],
      ["3", 0, [4]],
      ["4", 0, [5]],
      ["5", 0, [6]],
    ]);
  });

  it("draws equal tasks as one node, or each by itself", () => {
    expect(model.classes.nodes.map(({ id, tasks }) => [id, tasks.length])).toEqual([
      ["1_1", 3],
      ["2", 1],
      ["3", 1],
      ["4", 1],
      ["5", 1],
    ]);
    expect(ids(model.graph.nodes)).toEqual(IDS);
    expect(model.classes.nodeOf[2]?.id).toBe("1_1");
    expect(model.graph.nodeOf[2]?.id).toBe("1_3");
  });

  it("has a place for every task in each drawing, and no two in one place", () => {
    for (const drawing of [model.graph, model.classes, model.grid]) {
      expect(drawing.nodeOf.every(Boolean)).toBe(true);
      const places = drawing.nodes.map(({ x, y }) => `${x} ${y}`);
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it("puts a group's frame around its tasks", () => {
    const [box] = model.graph.boxes;
    for (const node of model.graph.nodes.filter(({ id }) => id.startsWith("1_"))) {
      expect(box!.x).toBeLessThan(node.x);
      expect(box!.y + box!.height).toBeGreaterThan(node.y + node.height);
    }
    const alone = model.graph.nodes.find(({ id }) => id === "5")!;
    expect(box!.y + box!.height).toBeLessThan(alone.y);
  });

  it("keeps tasks without edges in the grid, below the others", () => {
    const alone = model.grid.nodes.find(({ id }) => id === "5")!;
    expect(Math.max(...model.grid.nodes.filter((node) => node !== alone).map(({ y }) => y))).toBeLessThan(
      alone.y,
    );
  });

  it("draws the graph on the grid when the planner has made no drawing", () => {
    const { drawnNodes: _, drawnEdges: __, drawnBoxes: ___, ...early } = LAYOUT;
    const graph = modelOf(early, IDS).graph;
    expect(graph.nodeOf.every(Boolean)).toBe(true);
    expect(graph.edges.map(({ fromId, toId }) => `${fromId}-${toId}`)).toEqual(["2-3", "2-4", "3-4"]);
  });
});

describe("the filter", () => {
  const left = (change: object) => ordered({ ...EVERYTHING, ...change }, model, fold()).map((n) => IDS[n]);

  it("leaves what its text is found in: id, description, last failure", () => {
    expect(left({ text: "collect" })).toEqual(["1_1", "1_2", "1_3"]);
    expect(left({ text: "editor" })).toEqual(["3"]);
    expect(left({ text: " 1_2 " })).toEqual(["1_2"]);
  });

  it("leaves one status", () => {
    expect(left({ status: DONE })).toEqual(["2"]);
    expect(left({ status: EXECUTION_FAILED, text: "collect" })).toEqual([]);
  });

  it("puts the failed first, and the done last", () => {
    expect(left({ failedFirst: true })).toEqual(["3", "1_1", "1_2", "1_3", "4", "5", "2"]);
  });
});

describe("what is downstream", () => {
  it("reaches through groups and edges, and never itself", () => {
    expect(ids(downstream(model, "1_2"))).toEqual(["2", "3", "4"]);
    expect(ids(downstream(model, "3"))).toEqual(["4"]);
    expect(downstream(model, "5")).toEqual([]);
  });
});

describe("arrow keys", () => {
  const from = (id: string, arrow: Parameters<typeof nextNode>[2]) =>
    nextNode(
      model.graph,
      model.graph.nodes.find((node) => node.id === id),
      arrow,
    )?.id;

  it("move in the column, and along edges to the sides", () => {
    expect(from("1_1", "ArrowDown")).toBe("1_2");
    expect(from("1_1", "ArrowUp")).toBeUndefined();
    expect(from("2", "ArrowRight")).toBe("3");
    expect(from("4", "ArrowLeft")).toBe("3");
    expect(from("1_3", "ArrowRight")).toBe("2");
  });

  it("begin at the first node", () => {
    expect(nextNode(model.graph, undefined, "ArrowDown")?.id).toBe("1_1");
  });
});
