// What a start would keep of earlier executions, and what it would do.

import { executions, useResource } from "../../api";
import type { ExecutionSettingsJson, GivenInputJson } from "../../gen/signoff/v1/execution_pb";
import type { PreviewedTaskJson } from "../../gen/signoff/v1/runner_pb";
import { format, Visible } from "../../ui";
import { s } from "./strings";

const SHOWN = 20;

/** Shows nothing where there is nothing to keep: then everything is done, as a first start does. */
export function Preview(props: {
  plan: string;
  settings: ExecutionSettingsJson;
  inputs: readonly GivenInputJson[];
}) {
  const { plan, settings, inputs } = props;
  const key = JSON.stringify([settings, inputs]);
  const found = useResource(
    (signal) => executions.preview(plan, settings, inputs, SHOWN, { signal }),
    [plan, key],
  );
  const told = found.value.value;
  if (!told) return null;
  const { kept = 0, toJudge = 0, toMake = 0, withOtherPrompts = 0, tasks = [] } = told;
  if (kept + toJudge === 0) return null;
  const parts = [s.wouldKeep(format.count(kept), format.count(kept + toJudge + toMake))];
  if (withOtherPrompts) parts.push(s.otherPrompts(format.count(withOtherPrompts)));
  if (toJudge) parts.push(s.wouldJudge(format.count(toJudge)));
  if (toMake) parts.push(s.wouldMake(format.count(toMake)));
  const more = toJudge + toMake - tasks.length;
  return (
    <div class="stack tight" role="status">
      <p class="plan-notice">{parts.join(" · ")}</p>
      {tasks.length > 0 && (
        <details>
          <summary>{s.whyNotKept()}</summary>
          <ul class="warnings small">
            {tasks.map((task) => (
              <Task key={task.taskId} task={task} />
            ))}
            {more > 0 && <li>{s.andMore(format.count(more))}</li>}
          </ul>
        </details>
      )}
    </div>
  );
}

function Task({ task }: { task: PreviewedTaskJson }) {
  return (
    <li>
      <span class="mono">{task.taskId}</span>:{" "}
      <Visible text={task.changes?.join(", ") || s.isNew()} most={300} />
    </li>
  );
}
