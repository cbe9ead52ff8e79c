// The layout of the map that a run has: from the runner; else the plan's, when it is the same map; else made of the tasks.
import { executions, type LayoutJson, Problem, plans } from "../../api";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import type { ExecutionFold } from "../../store";

export async function layoutOf(
  execution: string,
  fold: ExecutionFold,
  signal: AbortSignal,
): Promise<LayoutJson> {
  return (await knownLayout(execution, fold.execution, signal)) ?? flat(fold);
}

/** Returns the layout of the very map that a run has; undefined when neither the runner nor the planner has it. */
export async function knownLayout(
  execution: string,
  { planId = "", mapDigest }: ExecutionJson,
  signal: AbortSignal,
): Promise<LayoutJson | undefined> {
  const own = await executions.layout(execution, { signal }).catch(unlessMissing);
  if (own || !planId) return own;
  const ofPlan = await plans.layout(planId, { signal }).catch(unlessMissing); // compiled elsewhere, or removed since
  return ofPlan?.header?.mapDigest === mapDigest ? ofPlan : undefined;
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Problem && error.isMissing)) throw error;
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
