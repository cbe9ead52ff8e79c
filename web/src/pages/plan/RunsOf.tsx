import { executions, useResource } from "../../api";
import { Link, navigate } from "../../router";
import { RunLine } from "../runs/RunLine";
import { s } from "./strings";

const MOST = 5;

/** The last executions of a plan. */
export function RunsOf({ plan }: { plan: string }) {
  const list = useResource((signal) => executions.list({ planId: plan, pageSize: MOST }, { signal }), [plan]);
  const all = list.value.value?.executions ?? [];
  if (all.length === 0) return null;
  const query = new URLSearchParams({ plan });
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    navigate({ page: "runs" }, { query });
  };
  return (
    <section class="stack tight" aria-label={s.runs()}>
      <div class="row">
        <h2 class="grow">{s.runs()}</h2>
        <a class="small" href={`runs?${query}`} onClick={follow}>
          {s.allRuns()}
        </a>
      </div>
      <ul class="run-lines card">
        {all.map((one) => (
          <li key={one.executionId}>
            <Link to={{ page: "run", execution: one.executionId ?? "" }} class="run-line">
              <RunLine execution={one} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
