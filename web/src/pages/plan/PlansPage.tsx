import { useEffect, useState } from "preact/hooks";
import { plans, useResource } from "../../api";
import type { PlanSummaryJson } from "../../gen/signoff/v1/planner_pb";
import { words } from "../../i18n";
import { Link } from "../../router";
import { Button, CommandChip, Failed, format, Loading, usePress, Visible } from "../../ui";
import { drafts } from "./drafts";
import { s } from "./strings";
import "./plan.css";

const PAGE = 100;

/** The stored plans, and those that are only written in this tab so far. */
export default function PlansPage() {
  const first = useResource((signal) => plans.list({ pageSize: PAGE }, { signal }), []);
  const [more, setMore] = useState<readonly PlanSummaryJson[]>([]);
  const [token, setToken] = useState("");
  const [wanted, want] = useState("");
  const answer = first.value.value;
  useEffect(() => {
    setMore([]);
    setToken(answer?.nextPageToken ?? "");
  }, [answer]);
  const { press, busy } = usePress(async () => {
    const next = await plans.list({ pageSize: PAGE, pageToken: token });
    setMore([...more, ...(next.plans ?? [])]);
    setToken(next.nextPageToken ?? "");
  });
  const written = drafts();
  const all = [...(answer?.plans ?? []), ...more];
  const unstored = written.filter((id) => answer && !all.some(({ planId }) => planId === id) && token === "");
  const left = all.filter(({ planId, idea }) =>
    `${planId} ${idea}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  return (
    <div class="page stack">
      <div class="row wrap">
        <h1 class="grow">{s.plans()}</h1>
        <input
          class="field"
          type="search"
          aria-label={s.filterPlans()}
          placeholder={s.filterPlans()}
          value={wanted}
          onInput={(event) => want(event.currentTarget.value)}
        />
      </div>
      {first.error.value ? <Failed error={first.error.value} again={first.reload} /> : !answer && <Loading />}
      {answer && all.length + unstored.length === 0 && (
        <div class="card stack">
          <p>{s.noPlans()}</p>
          <Link to={{ page: "start" }}>{s.toStart()}</Link>
        </div>
      )}
      {left.length + unstored.length > 0 && (
        <ul class="plan-list card">
          {unstored.map((id) => (
            <li key={id}>
              <Link to={{ page: "plan", plan: id }}>
                <strong>{id}</strong>
                <span class="plan-standing dirty">{s.notStored()}</span>
              </Link>
            </li>
          ))}
          {left.map((plan) => (
            <PlanLine key={plan.planId} plan={plan} isDraft={written.includes(plan.planId ?? "")} />
          ))}
        </ul>
      )}
      {all.length > 0 && left.length === 0 && <p class="muted">{s.noMatch()}</p>}
      {token !== "" && (
        <div>
          <Button busy={busy} onClick={() => void press()}>
            {s.more()}
          </Button>
        </div>
      )}
      <div class="stack tight">
        <span class="small muted">{words.commandLine()}</span>
        <CommandChip command="signoff compile plan.json" />
      </div>
    </div>
  );
}

function PlanLine({ plan, isDraft }: { plan: PlanSummaryJson; isDraft: boolean }) {
  return (
    <li>
      <Link to={{ page: "plan", plan: plan.planId ?? "" }}>
        <strong>{plan.planId}</strong>
        <span class="small muted numbers">
          {words.tasksN(plan.taskCount ?? 0)} · {s.stagesN(plan.stageCount ?? 0)}
        </span>
        {isDraft && <span class="plan-standing dirty">{s.draft()}</span>}
        <span class="grow" />
        <span class="small muted numbers">{format.moment(Date.parse(plan.compiledAt ?? ""))}</span>
        {plan.idea && (
          <span class="idea small">
            <Visible text={plan.idea} most={200} />
          </span>
        )}
      </Link>
    </li>
  );
}
