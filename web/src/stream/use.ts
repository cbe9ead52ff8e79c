import { useEffect, useState } from "preact/hooks";
import type { ExecutionStore } from "../store/store";
import { watchExecution } from "./stream";

/** Returns the live store of an execution, watched while the component is there; undefined before it is. */
export function useExecution(id: string, options: { thinking?: boolean } = {}): ExecutionStore | undefined {
  const [store, setStore] = useState<ExecutionStore | undefined>();
  const thinking = options.thinking ?? false;
  useEffect(() => {
    const watch = watchExecution(id, { thinking });
    setStore(watch.store);
    return watch.leave;
  }, [id, thinking]);
  return store?.id === id ? store : undefined;
}
