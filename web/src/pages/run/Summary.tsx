// The strip above the views: where the run stands, what it costs, and what it waits for.
import type { BudgetStateJson, ExecutionJson, GivenFileJson } from "../../gen/signoff/v1/execution_pb";
import { Link } from "../../router";
import { DONE, instant, isAtRest, STATUSES, type Status, sumUsage } from "../../store";
import { COLOURS, format, PersonMark, StateBadge, StateMark, useNow, Visible } from "../../ui";
import { Controls } from "./Controls";
import { useDetails } from "./details";
import type { RunState } from "./state";
import { s } from "./strings";
import "./summary.css";

export function Summary({ state }: { state: RunState }) {
  const fold = state.store.live;
  const { execution } = fold;
  return (
    <section class="summary" aria-label={execution.planId}>
      <div class="row wrap summary-head">
        <h1 class="row wrap">
          <Link to={{ page: "plan", plan: execution.planId ?? "" }} class="plan-name">
            {execution.planId}
          </Link>
          <StateBadge state={fold.state} />
        </h1>
        <span class="idea grow ellipsis muted" title={execution.idea}>
          <Visible text={execution.idea} most={240} />
        </span>
        <Controls state={state} />
      </div>
      <Progress state={state} />
      <div class="row wrap facts">
        <Counts state={state} />
        <span class="grow" />
        <Elapsed execution={execution} />
        <Costs state={state} />
      </div>
      <Inputs execution={execution} />
      <Notices state={state} />
    </section>
  );
}

const BAR: readonly Status[] = [DONE, 3, 2, 5, 6, 1];

function Progress({ state }: { state: RunState }) {
  const { counts, total } = state.store.live;
  return (
    <div
      class="progress"
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={counts[DONE]}
      aria-label={s.progress(counts[DONE]!, total)}
    >
      {BAR.filter((status) => counts[status]).map((status) => (
        <div
          key={status}
          class={`part of-${COLOURS[status]} ${status === 1 ? "undone" : ""}`}
          style={{ flexGrow: counts[status]! }}
        />
      ))}
    </div>
  );
}

function Counts({ state }: { state: RunState }) {
  const fold = state.store.live;
  const filter = state.filter.value;
  const waiting = fold.awaiting;
  return (
    <div class="row wrap counts">
      <span class="done-of numbers">{s.progress(fold.counts[DONE]!, fold.total)}</span>
      {STATUSES.filter((status) => fold.counts[status]).map((status) => (
        <button
          key={status}
          type="button"
          class="count-chip numbers"
          aria-pressed={filter.status === status}
          title={s.showOnly()}
          onClick={() => state.narrow({ status: filter.status === status ? 0 : status })}
        >
          <StateMark status={status} label /> {format.count(fold.counts[status]!)}
        </button>
      ))}
      {waiting > 0 && (
        <button
          type="button"
          class="count-chip person"
          aria-pressed={filter.awaiting}
          onClick={() => state.narrow({ awaiting: !filter.awaiting })}
        >
          <PersonMark title="" /> {s.awaiting(waiting)}
        </button>
      )}
    </div>
  );
}

function Elapsed({ execution }: { execution: ExecutionJson }) {
  const runs = !isAtRest(execution.state ?? "EXECUTION_STATE_UNSPECIFIED");
  const now = useNow(runs);
  const start = instant(execution.startedAt);
  if (!start) return null;
  const end = instant(execution.endedAt) || now;
  return (
    <Fact name={runs ? s.elapsed() : s.took()}>
      <span title={format.moment(start)}>{format.duration(end - start)}</span>
    </Fact>
  );
}

function Costs({ state }: { state: RunState }) {
  const fold = state.store.live;
  const sum = sumUsage(fold.usage.values());
  const tokens = sum.tokens + sum.estimatedTokens;
  if (!tokens) return null;
  const guess = sum.estimatedTokens ? s.estimated(format.short(sum.estimatedTokens)) : "";
  const unknown = sum.unpriced ? s.unpriced(format.short(sum.unpriced)) : "";
  return (
    <>
      <Fact name={s.tokens()}>
        <span title={guess}>{format.short(tokens)}</span>
      </Fact>
      {sum.unpriced < tokens && (
        <Fact name={s.cost()}>
          <span title={unknown}>
            {format.money(sum.nanos + sum.estimatedNanos, fold.execution.currency)}
            {sum.unpriced > 0 && " +?"}
          </span>
        </Fact>
      )}
    </>
  );
}

const VALUE_SHOWN = 120;

/** What the run was given of the inputs that its plan declares. */
function Inputs({ execution }: { execution: ExecutionJson }) {
  const { inputs = [] } = execution;
  if (!inputs.length) return null;
  return (
    <details class="small">
      <summary>{s.inputs(inputs.length)}</summary>
      <ul class="warnings">
        {inputs.map(({ name, text, json, files = [], fileCount = 0 }) => (
          <li key={name}>
            <strong>{name}</strong>:{" "}
            <Visible
              text={text ?? json ?? files.map((file) => file.path).join(", ")}
              most={text === undefined && json === undefined ? 2000 : VALUE_SHOWN}
            />
            {text === undefined && json === undefined && (
              <span class="muted"> {s.filesN(fileCount, format.size(sizeOf(files)))}</span>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

const sizeOf = (files: readonly GivenFileJson[]) =>
  files.reduce((sum, file) => sum + Number(file.sizeBytes ?? 0), 0);

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <span class="fact">
      <span class="muted">{name}</span> <strong class="numbers">{children}</strong>
    </span>
  );
}

function Notices({ state }: { state: RunState }) {
  const fold = state.store.live;
  const details = useDetails(state.store);
  const outages = [...fold.outages.values()];
  const budgets = (details?.budgets ?? fold.execution.budgets ?? []).filter((one) => one.budget).slice(0, 6);
  const isHeld = fold.state !== "EXECUTION_STATE_RUNNING" && fold.execution.reason;
  if (!isHeld && !outages.length && !budgets.length && fold.state !== "EXECUTION_STATE_QUARANTINED")
    return null;
  return (
    <div class="notices stack tight">
      {isHeld && (
        <p class={`notice ${fold.state === "EXECUTION_STATE_FAILED" ? "bad" : ""}`}>
          <Visible text={fold.execution.reason} most={400} />
        </p>
      )}
      {fold.state === "EXECUTION_STATE_QUARANTINED" && <p class="notice bad">{s.quarantinedWhy()}</p>}
      {outages.map((outage) => (
        <p key={`${outage.model} ${outage.endpoint}`} class="notice">
          <Visible
            text={s.outage(outage.model ?? "", format.clockTime(instant(outage.since)), outage.tries ?? 0)}
          />
          {outage.nextTry && `; ${s.nextTry(format.clockTime(instant(outage.nextTry)))}`}
          {outage.message && (
            <>
              {": "}
              <Visible text={outage.message} most={200} />
            </>
          )}
        </p>
      ))}
      {budgets.length > 0 && (
        <div class="row wrap">
          {budgets.map((budget) => (
            <BudgetBar key={budget.taskId ?? ""} budget={budget} currency={fold.execution.currency ?? ""} />
          ))}
        </div>
      )}
    </div>
  );
}

function BudgetBar({ budget, currency }: { budget: BudgetStateJson; currency: string }) {
  const byCost = budget.budget?.costNanos !== undefined;
  const limit = Number(byCost ? budget.budget?.costNanos : budget.budget?.tokens);
  const spent = Number((byCost ? budget.spentCostNanos : budget.spentTokens) ?? 0);
  const kept = Number((byCost ? budget.reservedCostNanos : budget.reservedTokens) ?? 0);
  const told = (n: number) => (byCost ? format.money(n, currency) : format.short(n));
  const share = (n: number) => `${Math.min(100, limit ? (100 * n) / limit : 100)}%`;
  return (
    <span class={`budget small ${spent >= limit ? "used-up" : ""}`}>
      <span class="muted">{s.budgetOf(budget.taskId ?? "")}</span>
      <span class="budget-bar" aria-hidden="true">
        <span class="spent" style={{ width: share(spent) }} />
        <span class="kept" style={{ width: share(kept) }} />
      </span>
      <span class="numbers">
        {told(spent)} / {told(limit)}
      </span>
    </span>
  );
}
