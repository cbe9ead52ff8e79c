import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { instant } from "../../store";
import { format, PersonMark, StateBadge, useNow, visible } from "../../ui";
import { costOf, failedOf, isLive, tookOf, totalOf } from "./figures";
import { s } from "./strings";
import "./line.css";

/** An execution in a line: state, plan, progress, cost, duration, age. */
export function RunLine({ execution }: { execution: ExecutionJson }) {
  const awaiting = execution.awaitingPerson ?? 0;
  return (
    <>
      <StateBadge state={execution.state} />
      <span class="run-name">
        <strong>{execution.planId}</strong>
        <span class="small muted ellipsis">
          {visible((execution.idea ?? execution.executionId ?? "").slice(0, 200))}
        </span>
      </span>
      {awaiting > 0 && (
        <span class="run-waits small">
          <PersonMark title={s.waitsN(awaiting)} /> {awaiting}
        </span>
      )}
      <Progress execution={execution} />
      <span class="run-cost small numbers">{costOf(execution)}</span>
      <Took execution={execution} />
      <span class="run-created small muted numbers">{format.moment(instant(execution.createdAt))}</span>
    </>
  );
}

function Took({ execution }: { execution: ExecutionJson }) {
  const now = useNow(isLive(execution) && execution.state === "EXECUTION_STATE_RUNNING");
  const took = tookOf(execution, now);
  return (
    <span class="run-took small numbers">{took === undefined ? s.notStarted() : format.duration(took)}</span>
  );
}

/** How many tasks are in which status, as a bar; the figures stand beside it. */
export function Progress({ execution }: { execution: ExecutionJson }) {
  const counts = execution.counts ?? {};
  const total = totalOf(counts);
  const parts = [
    ["done", counts.done],
    ["validating", counts.validating],
    ["doing", counts.doing],
    ["execution-failed", failedOf(counts)],
  ] as const;
  const done = counts.done ?? 0;
  return (
    <span
      class="run-progress"
      role="img"
      aria-label={s.progress(done, total)}
      title={s.progress(done, total)}
    >
      <span class="run-bar">
        {parts.map(([name, n]) =>
          n ? <span key={name} class={`of-${name}`} style={{ width: `${(100 * n) / total}%` }} /> : null,
        )}
      </span>
      <span class="small numbers">
        {done}/{total}
      </span>
    </span>
  );
}
