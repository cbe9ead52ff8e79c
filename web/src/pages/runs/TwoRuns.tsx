import { useMemo, useState } from "preact/hooks";
import { getAnswer, useResource } from "../../api";
import type { ExecutionJson, TaskStateJson } from "../../gen/signoff/v1/execution_pb";
import type { GetExecutionResponseJson } from "../../gen/signoff/v1/runner_pb";
import { Link, setQuery } from "../../router";
import { instant } from "../../store";
import {
  Button,
  CommandChip,
  commandLine,
  Failed,
  format,
  Loading,
  StateBadge,
  StateMark,
  useNow,
  VirtualList,
  Visible,
} from "../../ui";
import { Cells } from "./Cells";
import { differs, type Order, ordered, pairModels, pairTasks, type Side, type TaskPair } from "./compare";
import { failedOf, isLive, nanosOf, tokensOf, tookOf, totalOf } from "./figures";
import { s } from "./strings";

type Whole = { readonly execution: ExecutionJson; readonly tasks: readonly TaskStateJson[] };

/** Two executions: their figures, models and tasks side by side, the largest differences first. */
export function TwoRuns({ first, second }: { first: string; second: string }) {
  const both = useResource(
    (signal) => Promise.all([readWhole(first, signal), readWhole(second, signal)]),
    [first, second],
  );
  return (
    <div class="page runs-page stack">
      <div class="row wrap">
        <h1 class="grow">{s.comparing()}</h1>
        <Button small onClick={() => both.reload()} busy={both.busy.value}>
          ↻
        </Button>
        <Button small onClick={() => setQuery({ compare: undefined })}>
          {s.back()}
        </Button>
      </div>
      {both.error.value ? (
        <Failed error={both.error.value} again={both.reload} />
      ) : (
        !both.value.value && <Loading />
      )}
      {both.value.value && <Compared first={both.value.value[0]} second={both.value.value[1]} />}
    </div>
  );
}

async function readWhole(id: string, signal: AbortSignal): Promise<Whole> {
  const tasks: TaskStateJson[] = [];
  let pageToken = "";
  for (;;) {
    const answer = await getAnswer(["executions", id], {
      signal,
      query: { tasks: "all", pageSize: 5000, pageToken },
    });
    const page = (await answer.json()) as GetExecutionResponseJson;
    tasks.push(...(page.tasks ?? []));
    pageToken = page.nextPageToken ?? "";
    if (pageToken === "") return { execution: page.execution ?? {}, tasks };
  }
}

function Compared({ first, second }: { first: Whole; second: Whole }) {
  return (
    <>
      <Figures first={first} second={second} />
      <Models first={first.execution} second={second.execution} />
      <Tasks first={first} second={second} />
      <div class="row wrap">
        {[first, second].map(({ execution }) => (
          <CommandChip
            key={execution.executionId}
            command={commandLine("signoff", "status", execution.executionId ?? "")}
          />
        ))}
      </div>
    </>
  );
}

function Figures({ first, second }: { first: Whole; second: Whole }) {
  const [a, b] = [first.execution, second.execution];
  const now = useNow(isLive(a) || isLive(b));
  const attempts = ({ tasks }: Whole) => tasks.reduce((sum, task) => sum + (task.attempt ?? 0), 0);
  const numbers: readonly (readonly [string, (whole: Whole) => number, (n: number) => string])[] = [
    [s.tasksDone(), ({ execution }) => execution.counts?.done ?? 0, format.count],
    [s.failedTasks(), ({ execution }) => failedOf(execution.counts), format.count],
    [s.attempts(), attempts, format.count],
    [s.duration(), ({ execution }) => tookOf(execution, now) ?? 0, format.duration],
    [s.allTokens(), ({ execution }) => tokensOf(execution.usage), format.short],
    [
      s.cost(),
      ({ execution }) => nanosOf(execution.usage),
      (nanos) => (nanos === 0 ? s.noCost() : format.money(nanos, a.currency ?? b.currency)),
    ],
  ];
  return (
    <div class="card two-scroll">
      <table class="plain two-figures">
        <thead>
          <tr>
            <th scope="col">
              <span class="small muted">{a.mapDigest === b.mapDigest ? s.sameMap() : s.otherMap()}</span>
            </th>
            {[a, b].map((one, n) => (
              <th scope="col" key={one.executionId}>
                <Link to={{ page: "run", execution: one.executionId ?? "" }}>{one.planId}</Link>{" "}
                <span class="muted mono">{(one.executionId ?? "").slice(0, 8)}</span>
                <br />
                <span class="muted">
                  {n === 0 ? s.first() : s.second()} · {format.moment(instant(one.createdAt))}
                </span>
              </th>
            ))}
            <th scope="col">{s.difference()}</th>
          </tr>
        </thead>
        <tbody class="numbers">
          <tr>
            <th scope="row">{s.state()}</th>
            <td>
              <StateBadge state={a.state} />
            </td>
            <td>
              <StateBadge state={b.state} />
            </td>
            <td />
          </tr>
          {numbers.map(([label, of, told]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>
                {told(of(first))}
                {label === s.tasksDone() && ` / ${totalOf(a.counts)}`}
              </td>
              <td>
                {told(of(second))}
                {label === s.tasksDone() && ` / ${totalOf(b.counts)}`}
              </td>
              <td>
                <Signed value={of(second) - of(first)} told={told} isNeutral={label === s.tasksDone()} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A difference with its sign: more of it is marked apart from less of it. */
function Signed(props: { value: number | undefined; told: (n: number) => string; isNeutral?: boolean }) {
  const { value, told, isNeutral = false } = props;
  if (!value) return <span class="muted">{value === undefined ? "" : "="}</span>;
  const kind = isNeutral ? "" : value > 0 ? "more-of" : "less-of";
  return (
    <span class={kind}>
      {value > 0 ? "+" : "−"}
      {told(Math.abs(value))}
    </span>
  );
}

function Models({ first, second }: { first: ExecutionJson; second: ExecutionJson }) {
  const pairs = useMemo(() => pairModels(first, second), [first, second]);
  if (pairs.length === 0) return null;
  const isPriced = pairs.some(({ nanos }) => nanos[0] + nanos[1] > 0);
  const told = isPriced
    ? (n: number) => format.money(n, first.currency ?? second.currency)
    : (n: number) => s.tokens(format.short(n));
  return (
    <section class="stack tight">
      <h2>{s.byModel()}</h2>
      <div class="card two-scroll">
        <table class="plain two-figures">
          <thead>
            <tr>
              <th scope="col">{s.model()}</th>
              <th scope="col">{s.first()}</th>
              <th scope="col">{s.second()}</th>
              <th scope="col">{s.difference()}</th>
            </tr>
          </thead>
          <tbody class="numbers">
            {pairs.map(({ model, tokens, nanos }) => {
              const [a, b] = isPriced ? nanos : tokens;
              return (
                <tr key={model}>
                  <th scope="row">
                    <Visible text={model || s.noModel()} most={80} />
                  </th>
                  <td>{told(a)}</td>
                  <td>{told(b)}</td>
                  <td>
                    <Signed value={b - a} told={told} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Tasks({ first, second }: { first: Whole; second: Whole }) {
  const [by, setBy] = useState<Order>("time");
  const [onlyOther, setOnly] = useState(true);
  const pairs = useMemo(() => pairTasks(first.tasks, second.tasks), [first, second]);
  const shown = useMemo(() => ordered(onlyOther ? pairs.filter(differs) : pairs, by), [pairs, by, onlyOther]);
  return (
    <section class="stack tight">
      <div class="row wrap">
        <h2 class="grow">
          {s.byTask()} <span class="small muted">{s.tasksN(shown.length, pairs.length)}</span>
        </h2>
        <label class="row small">
          <input
            type="checkbox"
            checked={onlyOther}
            onChange={(event) => setOnly(event.currentTarget.checked)}
          />
          {s.onlyOther()}
        </label>
        <label class="row small">
          {s.sortBy()}
          <select class="field" value={by} onChange={(event) => setBy(event.currentTarget.value as Order)}>
            <option value="time">{s.time()}</option>
            <option value="attempts">{s.attempts()}</option>
            <option value="status">{s.status()}</option>
          </select>
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="card muted">{s.sameTasks()}</p>
      ) : (
        <div class="card two-tasks">
          <VirtualList
            count={shown.length}
            rowHeight={44}
            role="table"
            rowRole="row"
            label={s.byTask()}
            head={
              <Cells head class="two-row" cells={[s.task(), s.first(), s.second(), s.attempts(), s.time()]} />
            }
            keyOf={(n) => shown[n]!.id}
            row={(n) => (
              <TaskRow
                pair={shown[n]!}
                first={first.execution.executionId ?? ""}
                second={second.execution.executionId ?? ""}
              />
            )}
          />
        </div>
      )}
    </section>
  );
}

function TaskRow({ pair, first, second }: { pair: TaskPair; first: string; second: string }) {
  return (
    <Cells
      class="two-row numbers"
      cells={[
        <code key="id">{pair.id}</code>,
        <One key="first" side={pair.first} execution={first} task={pair.id} />,
        <One key="second" side={pair.second} execution={second} task={pair.id} />,
        <Signed key="attempts" value={pair.attempts} told={format.count} />,
        <Signed key="time" value={pair.took} told={format.duration} />,
      ]}
    />
  );
}

function One({ side, execution, task }: { side: Side | undefined; execution: string; task: string }) {
  if (!side) return <span class="muted">{s.missing()}</span>;
  return (
    <>
      <StateMark status={side.status} />{" "}
      <Link to={{ page: "run", execution, task }}>
        {`${side.attempts}× ${side.took === undefined ? "" : format.duration(side.took)}`}
      </Link>
    </>
  );
}
