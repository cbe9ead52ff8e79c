// One task, whole: where it stands and why, what each attempt made and how it was judged, and what can be done about it.
import { useEffect, useRef } from "preact/hooks";
import { words } from "../../i18n";
import { Link, navigate, query, setQuery } from "../../router";
import { AWAITS_PERSON, DONE, isFailed, sumUsage, UNDONE } from "../../store";
import { Failed, format, PersonMark, StateMark, Tabs, useNow, useShortcuts, Visible } from "../../ui";
import type { TaskDrawerProps } from "..";
import { Actions } from "./Actions";
import { Attempts } from "./Attempts";
import { Cost } from "./Cost";
import { attemptToShow, type TaskData, useTask } from "./data";
import { CandidateMark, candidateLabel } from "./OutcomeMark";
import { Prompts } from "./Prompts";
import { ResultPart } from "./ResultPart";
import { Spec, TaskLink } from "./Spec";
import { s } from "./strings";
import { Thinking } from "./Thinking";
import "./task.css";

const PARTS = ["result", "attempts", "prompt", "thinking", "spec", "cost"] as const;
type Part = (typeof PARTS)[number];
const MOST_CHIPS = 8; // attempts at the top; the part "attempts" has all

export default function TaskDrawer(props: TaskDrawerProps) {
  const frame = useRef<HTMLDivElement>(null);
  useFocus(frame);
  return (
    <div ref={frame} class="drawer task-drawer" role="dialog" aria-label={s.drawer(props.task)} tabIndex={-1}>
      <Task key={`${props.execution} ${props.task}`} {...props} />
    </div>
  );
}

/**
 * Takes the focus in, and gives it back. Where the drawer covers the page, what lies under it cannot be reached meanwhile.
 */
function useFocus(frame: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const element = frame.current!;
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    const covered = matchMedia("(max-width: 860px)").matches ? siblings(element) : [];
    for (const one of covered) one.inert = true;
    element.focus({ preventScroll: true });
    return () => {
      for (const one of covered) one.inert = false;
      const isLost = document.activeElement === document.body || element.contains(document.activeElement);
      const back =
        before?.isConnected && before !== document.body ? before : document.getElementById("content");
      if (isLost) back?.focus({ preventScroll: true });
    };
  }, []);
}

function siblings(element: HTMLElement): HTMLElement[] {
  return [...(element.parentElement?.children ?? [])].filter(
    (one): one is HTMLElement => one instanceof HTMLElement && one !== element && !one.inert,
  );
}

function Task(props: TaskDrawerProps) {
  const { store, task, close } = props;
  const data = useTask(store, task);
  const attempts = data.attempts.value.value ?? [];
  const attempt = props.attempt ?? attemptToShow(attempts);
  const part = partOf(query.value);
  const choose = (next: Part) => setQuery({ part: next === "result" ? undefined : next });
  useShortcuts([
    { key: "Escape", what: s.keyClose(), run: () => done(close), inFields: true },
    { key: "]", what: s.keyTab(), run: () => done(() => choose(beside(PARTS, part, 1))) },
    { key: "[", what: s.keyTab(), run: () => done(() => choose(beside(PARTS, part, -1))) },
    { key: "<", what: s.keyAttempt(), run: () => step(data, attempt, -1) },
    { key: ">", what: s.keyAttempt(), run: () => step(data, attempt, 1) },
  ]);
  const problem = data.detail.error.value;
  return (
    <>
      <Head data={data} close={close} />
      {problem && !data.detail.value.value ? (
        <Failed error={problem} again={data.reload} />
      ) : (
        <>
          <Why data={data} />
          <Chips data={data} attempt={attempt} />
          <div class="drawer-tabs">
            <Tabs
              label={s.tabs()}
              panel="task-part"
              tabs={PARTS.map((key) => ({ key, label: s[key]() }))}
              current={part}
              choose={choose}
            />
          </div>
          <div class="drawer-body" id="task-part" role="tabpanel" aria-label={s[part]()}>
            <Current part={part} data={data} attempt={attempt} />
          </div>
          <footer class="drawer-foot">
            <Actions data={data} />
          </footer>
        </>
      )}
    </>
  );
}

function done(work: () => void): true {
  work();
  return true;
}

function partOf(values: URLSearchParams): Part {
  return PARTS.find((part) => part === values.get("part")) ?? "result";
}

function beside<T>(all: readonly T[], one: T, by: number): T {
  return all[(all.indexOf(one) + by + all.length) % all.length]!;
}

function step(data: TaskData, attempt: number, by: number): boolean {
  const all = (data.attempts.value.value ?? []).map((one) => one.attempt ?? 0).filter((n) => n > 0);
  const next = all[all.indexOf(attempt) + by];
  if (next === undefined) return false;
  navigate(
    { page: "run", execution: data.execution, task: data.id, attempt: next },
    { query: query.peek(), replace: true },
  );
  return true;
}

function Current({ part, data, attempt }: { part: Part; data: TaskData; attempt: number }) {
  switch (part) {
    case "result":
      return <ResultPart key={attempt} data={data} attempt={attempt} />;
    case "attempts":
      return <Attempts data={data} current={attempt} />;
    case "prompt":
      return <Prompts key={attempt} data={data} attempt={attempt} />;
    case "thinking":
      return <Thinking data={data} />;
    case "spec":
      return <Spec data={data} />;
    case "cost":
      return <Cost data={data} />;
  }
}

function Head({ data, close }: { data: TaskData; close: () => void }) {
  const { store, n, id } = data;
  const { fold } = store;
  const detail = data.detail.value.value;
  const waitsForPerson = n !== undefined && fold.has(n, AWAITS_PERSON);
  return (
    <header class="drawer-head">
      <div class="row">
        <h2 class="mono">{id}</h2>
        {n !== undefined && <StateMark status={fold.statusAt(n)} label />}
        {waitsForPerson && <PersonMark title={s.stateWaitsPerson()} />}
        <span class="grow" />
        <button type="button" class="close" aria-label={s.close()} onClick={close}>
          ×
        </button>
      </div>
      {detail?.spec?.description && (
        <p class="drawer-description">
          <Visible text={detail.spec.description} most={320} />
        </p>
      )}
      {n !== undefined && <Facts data={data} n={n} />}
    </header>
  );
}

function Facts({ data, n }: { data: TaskData; n: number }) {
  const { fold } = data.store;
  const task = data.detail.value.value?.task;
  const status = fold.statusAt(n);
  const total = sumUsage(task?.usage ?? []);
  const spent = total.nanos + total.estimatedNanos;
  const tokens = total.tokens + total.estimatedTokens;
  const by = task?.artifact?.signedOffBy;
  const files = status === DONE ? fold.files.get(n) : undefined;
  return (
    <dl class="drawer-facts small numbers">
      <Fact name={s.stage()} value={String(fold.stage[n] ?? "")} />
      {fold.attempt[n]! > 0 && <Fact name={s.attempt()} value={String(fold.attempt[n])} />}
      {fold.worker[n] && <Fact name={s.worker()} value={fold.worker[n]!} />}
      {status === DONE && task?.took && (
        <Fact name={s.took()} value={format.duration(format.milliseconds(task.took) ?? 0)} />
      )}
      {status !== DONE && fold.changedAt[n]! > 0 && (
        <Since at={fold.changedAt[n]!} runs={!isFailed(status)} />
      )}
      {status === DONE && by && (
        <Fact
          name={s.signedOffBy()}
          value={by.person !== undefined ? s.byPerson(by.person) : s.byValidator(by.validator ?? "")}
        />
      )}
      {files && <Fact name={s.result()} value={words.filesN(files.count, format.size(files.bytes))} />}
      {task?.artifact?.keptFrom && (
        <Fact name={s.keptFrom()} value={task.artifact.keptFrom.executionId ?? ""} />
      )}
      {tokens > 0 && (
        <Fact
          name={s.cost()}
          value={`${words.tokens(format.short(tokens))}${spent > 0 ? ` · ${format.money(spent, data.run.value.value?.currency ?? "")}` : ""}`}
        />
      )}
    </dl>
  );
}

function Since({ at, runs }: { at: number; runs: boolean }) {
  const now = useNow(runs);
  return <Fact name={s.since()} value={format.duration(Math.max(0, now - at))} />;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Visible text={value} most={120} />
      </dd>
    </div>
  );
}

function Why({ data }: { data: TaskData }) {
  const { store, n } = data;
  if (n !== undefined && store.live.statusAt(n) === DONE) return null;
  const why = data.why.value.value as { sentence?: string; waiting?: { taskIds?: string[] } } | undefined;
  const error = data.why.error.value;
  if (!why) return error ? <Failed error={error} again={data.why.reload} /> : null;
  const status = n === undefined ? UNDONE : store.live.statusAt(n);
  const named = why.waiting?.taskIds ?? [];
  return (
    <section class={`drawer-why ${isFailed(status) ? "failed" : ""}`} aria-label={s.why()}>
      <Visible text={why.sentence} most={700} />
      {named.length > 0 && (
        <div class="row wrap named">
          <span class="muted small">{s.names()}</span>
          {named.map((id) => (
            <TaskLink key={id} data={data} id={id} />
          ))}
        </div>
      )}
    </section>
  );
}

function Chips({ data, attempt }: { data: TaskData; attempt: number }) {
  const all = (data.attempts.value.value ?? []).filter((one) => (one.attempt ?? 0) > 0);
  if (all.length < 2) return null;
  const shown = all.slice(-MOST_CHIPS);
  return (
    <nav class="row wrap attempt-chips" aria-label={s.chooseAttempt()}>
      {shown.map((one) => (
        <Link
          key={one.attempt}
          class="chip"
          to={{ page: "run", execution: data.execution, task: data.id, attempt: one.attempt! }}
          aria-current={one.attempt === attempt ? "page" : undefined}
          title={`${s.attemptN(one.attempt!)}: ${candidateLabel(one.candidate?.state)}`}
        >
          <CandidateMark state={one.candidate?.state} /> {s.attemptN(one.attempt!)}
        </Link>
      ))}
    </nav>
  );
}
