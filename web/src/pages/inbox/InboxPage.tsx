// What waits for a person: verdicts, tasks that failed for good, and runs that were paused.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useResource } from "../../api";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { Link } from "../../router";
import { countInbox, inboxCount } from "../../shell/inbox";
import { statusOf } from "../../store";
import { Button, Failed, format, Loading, PersonMark, StateBadge, StateMark, Visible } from "../../ui";
import { notices, switchOff, switchOn } from "./notify";
import { s } from "./strings";
import { askWaiting, type Item, keyOf, type Waiting } from "./waiting";
import "./inbox.css";

const EVERY = 10_000;
const MOST = 20; // tasks of one run shown; the run has all

export default function InboxPage() {
  const waiting = useResource((signal) => askWaiting({ signal }), [inboxCount.value]);
  useEffect(() => {
    void countInbox();
    const timer = setInterval(() => document.hidden || waiting.reload(), EVERY);
    return () => clearInterval(timer);
  }, []);
  const told = waiting.value.value;
  return (
    <div class="page inbox stack">
      <div class="row wrap">
        <div class="inbox-intro">
          <h1>{s.title()}</h1>
          <p class="muted">{s.intro()}</p>
        </div>
        <Notices />
      </div>
      {waiting.error.value ? <Failed error={waiting.error.value} again={waiting.reload} /> : null}
      {told ? <Everything told={told} /> : !waiting.error.value && <Loading />}
    </div>
  );
}

function Notices() {
  const state = notices.value;
  if (state === "none" || state === "denied")
    return <p class="small muted notices">{state === "none" ? s.notifyNone() : s.notifyDenied()}</p>;
  return (
    <div class="row wrap notices">
      {state === "on" && <span class="small muted">{s.notifyOn()}</span>}
      <Button small onClick={() => (state === "on" ? switchOff() : void switchOn())}>
        {state === "on" ? s.notifyOff() : s.notify()}
      </Button>
    </div>
  );
}

function Everything({ told }: { told: Waiting }) {
  const byBudget = told.paused.filter(({ byBudget }) => byBudget).map(({ execution }) => execution);
  const paused = told.paused.filter(({ byBudget }) => !byBudget).map(({ execution }) => execution);
  const count = told.person.length + told.failed.length + told.paused.length + told.quarantined.length;
  if (count === 0) return <Empty />;
  return (
    <>
      <Section name={s.person()} count={told.person.length}>
        <Runs items={told.person} isPerson />
      </Section>
      <Section name={s.pausedByBudget()} count={byBudget.length}>
        <Executions all={byBudget} />
      </Section>
      <Section name={s.failed()} count={told.failed.length}>
        <Runs items={told.failed} />
      </Section>
      <Section name={s.quarantined()} count={told.quarantined.length}>
        <Executions all={told.quarantined} />
      </Section>
      <Section name={s.paused()} count={paused.length}>
        <Executions all={paused} />
      </Section>
      {told.isCut && <p class="muted small">{s.moreRuns()}</p>}
    </>
  );
}

function Empty() {
  return (
    <div class="inbox-empty stack">
      <svg viewBox="0 0 64 64" width="72" height="72" aria-hidden="true">
        <path d="M8 34l8-20h32l8 20v16H8z" class="tray" />
        <path d="M8 34h14l4 7h12l4-7h14" class="tray" />
        <path d="M24 22l6 6 11-13" class="tick" />
      </svg>
      <h2>{s.empty()}</h2>
      <p class="muted">{s.emptyMore()}</p>
      <Link to={{ page: "runs" }}>{s.toRuns()}</Link>
    </div>
  );
}

function Section({ name, count, children }: { name: string; count: number; children: ComponentChildren }) {
  if (count === 0) return null;
  return (
    <section class="stack inbox-section" aria-label={`${name}: ${count}`}>
      <h2>
        {name} <span class="inbox-count">{format.count(count)}</span>
      </h2>
      {children}
    </section>
  );
}

/** Tasks under the run that they belong to. */
function Runs({ items, isPerson = false }: { items: readonly Item[]; isPerson?: boolean }) {
  const runs = new Map<string, Item[]>();
  for (const item of items) {
    const id = item.execution.executionId ?? "";
    runs.set(id, [...(runs.get(id) ?? []), item]);
  }
  return (
    <>
      {[...runs.values()].map((own) => (
        <article key={own[0]!.execution.executionId} class="card inbox-run stack">
          <RunHead execution={own[0]!.execution} />
          <ul class="inbox-items">
            {own.slice(0, MOST).map((item) => (
              <Task key={keyOf(item)} item={item} isPerson={isPerson} />
            ))}
          </ul>
          {own.length > MOST && <span class="muted small">{s.moreTasks(own.length - MOST)}</span>}
        </article>
      ))}
    </>
  );
}

function Task({ item, isPerson }: { item: Item; isPerson: boolean }) {
  const { execution, task } = item;
  const id = task.taskId ?? "";
  const to = { page: "run", execution: execution.executionId ?? "", task: id } as const;
  const since = Date.parse(task.changedAt ?? "");
  return (
    <li class="inbox-item">
      <span class="inbox-mark">
        {isPerson ? (
          <PersonMark title={s.person()} size={18} />
        ) : (
          <StateMark status={statusOf(task.status)} size={18} />
        )}
      </span>
      <div class="grow">
        <div class="row wrap">
          <Link to={to} class="mono inbox-task">
            {id}
          </Link>
          {since > 0 && <span class="muted small">{s.since(format.moment(since))}</span>}
        </div>
        <p class="inbox-why">
          <Visible text={task.waiting?.message} most={500} />
        </p>
      </div>
      <Link
        to={to}
        class={`button compact ${isPerson ? "primary" : ""}`}
        aria-label={`${isPerson ? s.look() : s.open()}: ${id}`}
      >
        {isPerson ? s.look() : s.open()}
      </Link>
    </li>
  );
}

function RunHead({ execution }: { execution: ExecutionJson }) {
  const to = { page: "run", execution: execution.executionId ?? "" } as const;
  return (
    <div class="row wrap">
      <Link to={to} class="inbox-plan grow">
        <Visible text={execution.idea || execution.planId} most={160} />
      </Link>
      <StateBadge state={execution.state} />
    </div>
  );
}

function Executions({ all }: { all: readonly ExecutionJson[] }) {
  return (
    <>
      {all.map((execution) => (
        <article key={execution.executionId} class="card inbox-run stack">
          <RunHead execution={execution} />
          <div class="row wrap">
            <p class="inbox-why grow">
              <Visible text={execution.reason} most={700} />
            </p>
            <Link class="button compact" to={{ page: "run", execution: execution.executionId ?? "" }}>
              {s.openRun()}
            </Link>
          </div>
        </article>
      ))}
    </>
  );
}
