import type { RunState } from "./state";

/** The selection in a list of ids: where it is, and how keys move it. */
export function useRows(
  state: RunState,
  ids: readonly string[],
): { current: number | undefined; move: (by: number) => boolean } {
  const current = ids.indexOf(state.selected.value);
  return {
    current: current < 0 ? undefined : current,
    move: (by) => {
      const next = current < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, current + by));
      const id = ids[next];
      if (id === undefined) return false;
      state.selected.value = id;
      return true;
    },
  };
}
