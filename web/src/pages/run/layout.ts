// The layout of the map that a run has: from the runner; else the plan's, when it is the same map; else made of the tasks.
import { executions, type LayoutJson, Problem, plans } from "../../api";
import type { ExecutionFold } from "../../store";

export async function layoutOf(
  execution: string,
  fold: ExecutionFold,
  signal: AbortSignal,
): Promise<LayoutJson> {
  try {
    return await executions.layout(execution, { signal });
  } catch (error) {
    if (!(error instanceof Problem && error.isMissing)) throw error;
  }
  const { planId = "", mapDigest } = fold.execution;
  const ofPlan = await plans.layout(planId, { signal }).catch((error: unknown) => {
    if (error instanceof Problem && error.isMissing) return undefined; // compiled elsewhere, or removed since
    throw error;
  });
  return ofPlan?.header?.mapDigest === mapDigest && ofPlan ? ofPlan : flat(fold);
}

/** Returns the tasks in the columns of their stages, without edges: all that is known of them without a map. */
function flat(fold: ExecutionFold): LayoutJson {
  const rows = new Map<number, number>();
  const cells = fold.ids.map((taskId, n) => {
    const column = fold.stage[n] || 1;
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    return { taskId, column, row };
  });
  return { cells, nodes: cells.map(({ taskId, column }) => ({ taskId, atomic: true, stage: column })) };
}
