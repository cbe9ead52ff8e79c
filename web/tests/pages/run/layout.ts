// A small map as the planner lays it out: a group of three equal tasks, then one, then two in a row, and one alone.
import type { LayoutJson } from "../../../src/api";

export const IDS = ["1_1", "1_2", "1_3", "2", "3", "4", "5"];

export const LAYOUT: LayoutJson = {
  nodes: [
    { taskId: "1", stage: 1, description: "Collect" },
    { taskId: "1_1", parentId: "1", atomic: true, stage: 1, description: "Collect papers" },
    { taskId: "1_2", parentId: "1", atomic: true, stage: 1, taskRow: 1, description: "Collect talks" },
    { taskId: "1_3", parentId: "1", atomic: true, stage: 1, taskRow: 2, description: "Collect news" },
    { taskId: "2", atomic: true, stage: 2, drawnNode: 1, description: "Read" },
    { taskId: "3", atomic: true, stage: 3, drawnNode: 2, description: "Write" },
    { taskId: "4", atomic: true, stage: 4, drawnNode: 3, description: "Publish" },
    { taskId: "5", atomic: true, stage: 1, drawnNode: 4, taskRow: 3, description: "Rest" },
  ],
  edges: [
    { fromId: "1", toId: "2" },
    { fromId: "2", toId: "3" },
    { fromId: "2", toId: "4" },
    { fromId: "3", toId: "4", data: true },
  ],
  cells: [
    { taskId: "1_1", column: 1 },
    { taskId: "1_2", column: 1, row: 1 },
    { taskId: "1_3", column: 1, row: 2 },
    { taskId: "2", column: 2 },
    { taskId: "3", column: 3 },
    { taskId: "4", column: 4 },
  ],
  isolatedTaskIds: ["5"],
  drawnNodes: [
    { taskId: "1_1", taskCount: 3, column: 1 },
    { taskId: "2", taskCount: 1, column: 2 },
    { taskId: "3", taskCount: 1, column: 3 },
    { taskId: "4", taskCount: 1, column: 4 },
    { taskId: "5", taskCount: 1, column: 1, row: 1 },
  ],
  drawnEdges: [
    { fromId: "1", toId: "2" },
    { fromId: "2", toId: "3" },
    { fromId: "2", toId: "4", long: true },
    { fromId: "3", toId: "4", data: true },
  ],
  drawnBoxes: [{ groupId: "1", firstColumn: 1, lastColumn: 1, lastTaskRow: 2 }],
};
