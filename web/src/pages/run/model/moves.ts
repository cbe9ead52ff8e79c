// Where an arrow key leads from a node: along the edges to the sides, up and down in the column.
import type { Drawing, DrawnNode } from "./drawing";

export type Arrow = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

/** Returns the next node in the arrow's direction; undefined at the edge. */
export function nextNode(drawing: Drawing, from: DrawnNode | undefined, arrow: Arrow): DrawnNode | undefined {
  if (!from) return drawing.nodes[0];
  const isBeside = arrow === "ArrowLeft" || arrow === "ArrowRight";
  if (!isBeside)
    return nearest(
      drawing.nodes,
      from,
      (node) =>
        node.column === from.column && (arrow === "ArrowUp" ? node.row < from.row : node.row > from.row),
    );
  const towards = (node: DrawnNode) =>
    arrow === "ArrowLeft" ? node.column < from.column : node.column > from.column;
  return nearest(joined(drawing, from), from, towards) ?? nearest(drawing.nodes, from, towards);
}

/** Returns the nodes at the other ends of a node's edges. */
function joined(drawing: Drawing, from: DrawnNode): DrawnNode[] {
  const ids = new Set(
    drawing.edges.flatMap(({ fromId, toId }) =>
      fromId === from.id ? [toId] : toId === from.id ? [fromId] : [],
    ),
  );
  return drawing.nodes.filter(({ id }) => ids.has(id));
}

function nearest(
  nodes: readonly DrawnNode[],
  from: DrawnNode,
  fits: (node: DrawnNode) => boolean,
): DrawnNode | undefined {
  let best: DrawnNode | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const node of nodes) {
    if (!fits(node)) continue;
    const far = Math.abs(node.column - from.column) * 1000 + Math.abs(node.row - from.row);
    if (far < least) [best, least] = [node, far];
  }
  return best;
}
