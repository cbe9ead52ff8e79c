// Why a task is not finished, in the runner's own words, asked again when the task has moved.
import { useEffect, useState } from "preact/hooks";
import { executions, sentenceOf } from "../../api";
import { Visible } from "../../ui";
import type { RunState } from "./state";

const PATIENCE = 250; // a pointer that passes over asks nothing
const AGAIN = 5000; // what a task waits for may change without an event of its own

export function Why({ state, task }: { state: RunState; task: string }) {
  const fold = state.store.live;
  const n = state.model.number.get(task) ?? -1;
  const moved = `${fold.status[n] ?? 0} ${fold.attempt[n] ?? 0} ${fold.state}`;
  const [told, setTold] = useState({ about: "", sentence: "" });
  useEffect(() => {
    const control = new AbortController();
    const ask = () => {
      executions.why(state.execution, task, { signal: control.signal }).then(
        (why) => setTold({ about: task, sentence: why.tasks?.[0]?.sentence || why.sentence || "" }),
        (error: unknown) => control.signal.aborted || setTold({ about: task, sentence: sentenceOf(error) }),
      );
    };
    const first = setTimeout(ask, PATIENCE);
    const later = setInterval(ask, AGAIN);
    return () => {
      control.abort();
      clearTimeout(first);
      clearInterval(later);
    };
  }, [state, task, moved]);
  return <span class="why">{told.about === task ? <Visible text={told.sentence} most={600} /> : "…"}</span>;
}
