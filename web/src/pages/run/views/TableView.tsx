// The tasks as a table: the equal of the drawings, for screen readers and for anyone who likes text.
import { useResource } from "../../../api";
import { AWAITS_PERSON, isFailed } from "../../../store";
import {
  format,
  PersonMark,
  StateMark,
  useShortcuts,
  VirtualList,
  Visible,
  visible,
  waitLabel,
} from "../../../ui";
import { followJournal } from "../model/journal";
import { Waited } from "../model/waited";
import { useRows } from "../rows";
import type { RunState } from "../state";
import { s } from "../strings";
import "./table.css";

const MOST_READ = 20_000; // events; the time line reads any number, when a person asks for it

export function TableView({ state }: { state: RunState }) {
  const shown = state.shown.value;
  const ids = state.model.ids;
  const journal = useResource((signal) => waitedOf(state, signal), [state]);
  const waited = journal.value.value;
  const at = useRows(
    state,
    shown.map((n) => ids[n]!),
  );
  useShortcuts([
    { key: "ArrowDown", what: s.keyMove(), run: () => at.move(1) },
    { key: "ArrowUp", what: s.keyMove(), run: () => at.move(-1) },
    { key: "PageDown", what: s.keyMove(), run: () => at.move(15) },
    { key: "PageUp", what: s.keyMove(), run: () => at.move(-15) },
  ]);
  if (shown.length === 0) return <p class="muted nothing">{s.nothingMatches()}</p>;
  return (
    <VirtualList
      class="task-table"
      role="table"
      rowRole="row"
      label={s.table()}
      count={shown.length}
      rowHeight={36}
      current={at.current}
      keyOf={(n) => ids[shown[n]!] ?? n}
      row={(row) => <Row state={state} n={shown[row]!} waited={waited} />}
      head={<Head />}
    />
  );
}

/** Reads what tasks have waited for; nothing of a journal so long that reading it would hold up everything else. */
async function waitedOf(state: RunState, signal: AbortSignal): Promise<Waited | undefined> {
  const { store, model } = state;
  if (store.live.sequence > MOST_READ) return undefined;
  return followJournal(store, new Waited(model.layout), signal);
}

function Head() {
  return (
    <div class="table-row head" role="row" aria-rowindex={1}>
      {[
        s.task(),
        s.status(),
        s.description(),
        s.stage(),
        s.attempts(),
        s.worker(),
        s.since(),
        s.waited(),
        s.lastFailure(),
      ].map((name) => (
        <span key={name} role="columnheader">
          {name}
        </span>
      ))}
    </div>
  );
}

function Row({ state, n, waited }: { state: RunState; n: number; waited: Waited | undefined }) {
  const fold = state.store.live;
  const id = fold.ids[n]!;
  const status = fold.statusAt(n);
  const isSelected = state.selected.value === id;
  const waits = waited && waitsOf(state, waited, id);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the row around it has the role
    <div
      class={`table-row ${isSelected ? "selected" : ""}`}
      role="presentation"
      onClick={() => (state.selected.value = id)}
      onDblClick={() => state.open(id)}
    >
      <span role="cell">
        <button
          type="button"
          class="id-button mono"
          aria-current={isSelected || undefined}
          onClick={() => (state.selected.value = id)}
        >
          {id}
        </button>
      </span>
      <span role="cell" class="row">
        <StateMark status={status} label />
        {fold.has(n, AWAITS_PERSON) && <PersonMark title={s.person()} />}
      </span>
      <span role="cell" class="ellipsis">
        <Visible text={state.model.byId.get(id)?.description} most={200} />
      </span>
      <span role="cell" class="numbers">
        {fold.stage[n]}
      </span>
      <span role="cell" class="numbers">
        {fold.attempt[n]}
      </span>
      <span role="cell" class="ellipsis">
        <Visible text={fold.worker[n]} most={80} />
      </span>
      <span role="cell" class="numbers">
        {format.clockTime(fold.changedAt[n]!)}
      </span>
      <span role="cell" class="ellipsis numbers" title={waits}>
        {waits}
      </span>
      <span role="cell" class={`ellipsis ${isFailed(status) ? "of-execution-failed bad" : "muted"}`}>
        <Visible text={fold.lastFailure[n]} most={200} />
      </span>
    </div>
  );
}

/** How long a task has waited, what for, and what for now: "3.1 s for an executor; now for a validator, since 12:04:31" */
function waitsOf(state: RunState, waited: Waited, id: string): string {
  const past = [...waited.of(id)].map(([what, time]) => `${format.duration(time)} ${waitLabel(what)}`);
  const isQuarantined = state.store.live.state === "EXECUTION_STATE_QUARANTINED"; // no event tells of it
  const now = isQuarantined ? undefined : waited.now(id, Date.now());
  const why = now?.why && `: ${visible(now.why.slice(0, 200))}`;
  const present = now ? [s.waitingNow(waitLabel(now.what), format.clockTime(now.start)) + why] : [];
  return [past.join(", "), ...present].filter(Boolean).join("; ");
}
