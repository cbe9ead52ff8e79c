import { useMemo, useState } from "preact/hooks";
import { words } from "../../i18n";
import { Link } from "../../router";
import { format, VirtualList, Visible, visible, waitLabel } from "../../ui";
import { Cells } from "../runs/Cells";
import { isTrouble } from "./drawing";
import { type Ending, type Lane, lengthOf, type Work, waitedFor } from "./lanes";
import { s } from "./strings";

const ENDINGS: Readonly<Record<Ending, () => string>> = {
  open: s.open,
  made: s.made,
  passed: s.passed,
  rejected: s.rejectedIt,
  failed: s.failed,
  broke: s.broke,
  lost: s.lost,
  returned: s.returned,
  asked: s.asked,
  canary: s.canary,
  away: s.away,
};

/** One assignment in a sentence, with the way to its task. */
export function WorkLine({ work, now }: { work: Work; now: number }) {
  return (
    <>
      <strong>{visible(work.worker)}</strong> {work.phase === "execute" ? s.makes() : s.judges()}{" "}
      <TaskLink work={work} /> · {words.attemptN(work.attempt)} · {format.clockTime(work.start)} ·{" "}
      {format.duration(lengthOf(work, now))} · {ENDINGS[work.ending]()}
      {work.waits !== undefined && ` · ${s.waited(waitsOf(work) || format.duration(0))}`}
      {work.waits
        ?.filter(({ why }) => why)
        .map(({ why, start }) => (
          <div key={start} class="small muted">
            <Visible text={why} most={300} />
          </div>
        ))}
    </>
  );
}

/** What its task waited for, and how long: "2.0 s for its retry time, 0.4 s for an executor". */
function waitsOf({ waits = [] }: Work): string {
  return waits.map(({ what, start, end }) => `${format.duration(end - start)} ${waitLabel(what)}`).join(", ");
}

function TaskLink({ work }: { work: Work }) {
  return (
    <Link to={{ page: "run", execution: work.execution, task: work.task }}>
      <code>{work.task}</code>
    </Link>
  );
}

type Props = {
  lanes: readonly Lane[];
  seen: number;
  now: number;
  worker: string;
  setWorker: (worker: string) => void;
};

/** The same as the time line, as a table. */
export function WorkTable({ lanes, seen, now, worker, setWorker }: Props) {
  const [byWait, setByWait] = useState(false);
  const works = useMemo(() => {
    const chosen = lanes
      .filter((lane) => worker === "" || lane.worker === worker)
      .flatMap((lane) => lane.works);
    return chosen.sort(
      (a, b) => (byWait ? (waitedFor(b) ?? -1) - (waitedFor(a) ?? -1) : 0) || b.start - a.start,
    );
  }, [lanes, seen, worker, byWait]);
  return (
    <section class="stack tight">
      <div class="row wrap">
        <h3 class="grow nowrap works-title">
          {s.work()} <span class="small muted numbers">{format.count(works.length)}</span>
        </h3>
        <select
          class="field"
          aria-label={s.worker()}
          value={worker}
          onChange={(event) => setWorker(event.currentTarget.value)}
        >
          <option value="">{s.allWorkers()}</option>
          {lanes.map((lane) => (
            <option key={lane.worker} value={lane.worker}>
              {visible(lane.worker)}
            </option>
          ))}
        </select>
        <select
          class="field"
          aria-label={s.wait()}
          value={byWait ? "wait" : ""}
          onChange={(event) => setByWait(event.currentTarget.value !== "")}
        >
          <option value="">{s.newest()}</option>
          <option value="wait">{s.longestWaits()}</option>
        </select>
      </div>
      <div class="card works" style={{ height: `${34 * (works.length + 1) + 4}px` }}>
        <VirtualList
          count={works.length}
          rowHeight={34}
          role="table"
          rowRole="row"
          label={s.work()}
          head={
            <Cells
              head
              class="work-row"
              cells={[s.worker(), s.task(), s.begun(), s.wait(), s.took(), s.outcome()]}
            />
          }
          row={(n) => <WorkRow work={works[n]!} now={now} />}
        />
      </div>
    </section>
  );
}

function WorkRow({ work, now }: { work: Work; now: number }) {
  return (
    <Cells
      class="work-row numbers"
      cells={[
        visible(work.worker),
        <span key="task">
          <TaskLink work={work} /> <span class="small muted">{words.attemptN(work.attempt)}</span>
        </span>,
        format.clockTime(work.start),
        <span key="wait" class="ellipsis" title={waitsOf(work)}>
          {waitsOf(work) || (work.waits && format.duration(0))}
        </span>,
        format.duration(lengthOf(work, now)),
        <span key="outcome" class={isTrouble(work.ending) ? "trouble" : ""}>
          {work.phase === "execute" ? s.makes() : s.judges()}: {ENDINGS[work.ending]()}
        </span>,
      ]}
    />
  );
}
