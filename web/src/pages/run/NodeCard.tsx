// What a person sees when pointing at a node: its status, what it is, and why it is not finished.
import { DONE } from "../../store";
import { StateMark, Visible } from "../../ui";
import { tallyOf } from "./canvas/tally";
import type { DrawnNode } from "./model/drawing";
import type { RunState } from "./state";
import { s } from "./strings";
import { Why } from "./Why";

export function NodeCard({ state, node }: { state: RunState; node: DrawnNode }) {
  const fold = state.store.live;
  const { status } = tallyOf(node, fold);
  return (
    <div class="stack tight">
      <div class="row">
        <strong class="mono">{node.id}</strong>
        <StateMark status={status} label />
        {node.tasks.length > 1 && <span class="muted small">{s.equal(node.tasks.length)}</span>}
      </div>
      <div class="small">
        <Visible text={node.description} most={240} />
      </div>
      <Doing state={state} n={node.tasks[0]} />
      {status !== DONE && (
        <div class="small">
          <Why state={state} task={node.id} />
        </div>
      )}
    </div>
  );
}

function Doing({ state, n }: { state: RunState; n: number | undefined }) {
  const fold = state.store.live;
  if (n === undefined || !fold.attempt[n]) return null;
  const parts = [s.attemptShort(fold.attempt[n]!), fold.worker[n]].filter(Boolean);
  return (
    <div class="small muted">
      <Visible text={parts.join(" · ")} />
    </div>
  );
}
