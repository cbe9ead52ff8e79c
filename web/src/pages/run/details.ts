// What no event tells of an execution, such as what its budgets have reserved: asked again after events that touch it.
import { useEffect, useState } from "preact/hooks";
import { executions, isAborted } from "../../api";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import type { ExecutionStore } from "../../store";

const EVERY = 3000;

export function useDetails(store: ExecutionStore): ExecutionJson | undefined {
  const [details, setDetails] = useState<ExecutionJson | undefined>();
  useEffect(() => {
    const control = new AbortController();
    let isStale = false;
    let hasBudgets = (store.fold.execution.budgets?.length ?? 0) > 0;
    const stop = store.onEvents((events) => {
      isStale ||= events.some((event) => event.usageRecorded || event.budgetSet || event.taskAssigned);
      hasBudgets ||= events.some((event) => event.budgetSet);
    });
    const ask = async () => {
      if (!isStale || !hasBudgets || document.hidden) return;
      isStale = false;
      const answer = await executions.get(store.id, { signal: control.signal }).catch((error: unknown) => {
        isStale = !isAborted(error); // the banner tells of a lost connection; the next round asks again
      });
      if (answer?.execution) setDetails(answer.execution);
    };
    const timer = setInterval(() => void ask(), EVERY);
    return () => {
      stop();
      control.abort();
      clearInterval(timer);
    };
  }, [store]);
  return details;
}
