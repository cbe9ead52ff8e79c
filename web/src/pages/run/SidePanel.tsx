// The selected task or group: what it is, why it stands where it stands, and what it hangs on.
import { tasks } from "../../api";
import { words } from "../../i18n";
import { isReadOnly } from "../../shell/session";
import { AWAITS_PERSON, DONE, type Status, UNDONE } from "../../store";
import { ask, Button, commandLine, format, PersonMark, StateMark, toast, usePress, Visible } from "../../ui";
import { tally } from "./canvas/tally";
import { downstream } from "./model/downstream";
import type { TreeEntry } from "./model/model";
import type { RunState } from "./state";
import { s } from "./strings";
import { Why } from "./Why";
import "./side.css";

export function SidePanel({ state }: { state: RunState }) {
  const fold = state.store.live;
  const entry = state.model.byId.get(state.selected.value);
  if (!entry) return null;
  const { status } = tally(entry.tasks, fold);
  const n = state.model.number.get(entry.id);
  return (
    <aside class="side stack" aria-label={entry.id}>
      <div class="row">
        <h2 class="mono grow">{entry.id}</h2>
        <button
          type="button"
          class="close"
          aria-label={s.clear()}
          onClick={() => (state.selected.value = "")}
        >
          ×
        </button>
      </div>
      <div class="row wrap">
        <StateMark status={status} label />
        {n !== undefined && fold.has(n, AWAITS_PERSON) && <PersonMark title={s.person()} />}
        {n === undefined && (
          <span class="muted small numbers">
            {s.groupDone(tally(entry.tasks, fold).counts[DONE]!, entry.tasks.length)}
          </span>
        )}
      </div>
      <p>
        <Visible text={entry.description} most={600} />
      </p>
      {status !== DONE && (
        <section>
          <h3>{s.why()}</h3>
          <Why state={state} task={entry.id} />
        </section>
      )}
      {n !== undefined && <Facts state={state} n={n} />}
      <Neighbours state={state} name={s.waitsFor()} ids={state.model.waitsFor.get(entry.id) ?? []} />
      <Neighbours state={state} name={s.neededBy()} ids={state.model.neededBy.get(entry.id) ?? []} />
      {n !== undefined && <Actions state={state} entry={entry} status={status} />}
    </aside>
  );
}

function Facts({ state, n }: { state: RunState; n: number }) {
  const fold = state.store.live;
  const { thinking } = state.store;
  const thought = thinking.get(fold.ids[n]!);
  const files = fold.statusAt(n) === DONE ? fold.files.get(n) : undefined;
  return (
    <>
      <dl class="side-facts small">
        <Fact name={s.stage()} value={String(fold.stage[n])} />
        <Fact name={s.attempts()} value={String(fold.attempt[n])} />
        {fold.failures[n]! > 0 && <Fact name={s.failures()} value={String(fold.failures[n])} />}
        {fold.worker[n] && <Fact name={s.worker()} value={fold.worker[n]!} />}
        {files && <Fact name={s.result()} value={words.filesN(files.count, format.size(files.bytes))} />}
        {fold.changedAt[n]! > 0 && <Fact name={s.since()} value={format.moment(fold.changedAt[n]!)} />}
      </dl>
      {fold.lastFailure[n] && (
        <section>
          <h3>{s.lastFailure()}</h3>
          <div class="small failure-text">
            <Visible text={fold.lastFailure[n]} most={500} />
          </div>
        </section>
      )}
      {thought && fold.worker[n] && (
        <section>
          <h3>{s.thinking()}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key */}
          <div class="small muted thought" role="log" aria-label={s.thinking()} tabIndex={0}>
            <Visible text={thought.text.slice(-500)} />
          </div>
        </section>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt class="muted">{name}</dt>
      <dd>
        <Visible text={value} most={120} />
      </dd>
    </div>
  );
}

const MOST = 30; // neighbours shown; the graph has all

function Neighbours({ state, name, ids }: { state: RunState; name: string; ids: readonly string[] }) {
  if (ids.length === 0) return null;
  return (
    <section>
      <h3>{name}</h3>
      <div class="row wrap neighbours">
        {ids.slice(0, MOST).map((id) => (
          <button key={id} type="button" class="count-chip mono" onClick={() => (state.selected.value = id)}>
            <StateMark status={statusOf(state, id)} size={13} /> {id}
          </button>
        ))}
        {ids.length > MOST && <span class="muted small">+{ids.length - MOST}</span>}
      </div>
    </section>
  );
}

function statusOf(state: RunState, id: string): Status {
  return tally(state.model.byId.get(id)?.tasks ?? [], state.store.live).status;
}

function Actions({ state, entry, status }: { state: RunState; entry: TreeEntry; status: Status }) {
  const fold = state.store.live;
  const retry = usePress(async (options) => {
    const below = downstream(state.model, entry.id);
    const done = [entry, ...below].filter(
      ({ id }) => fold.statusAt(state.model.number.get(id)!) === DONE,
    ).length;
    const answer = await ask({
      title: s.retryAsk(entry.id),
      body: s.retryBody(),
      takesBack: s.retryCost(done, below.length),
      action: s.retryTask(),
      danger: done > 0,
      command: commandLine("signoff", "retry", state.execution, entry.id),
    });
    if (!answer) return;
    await tasks.retry(state.execution, entry.id, options);
    toast(s.retried(entry.id));
  });
  return (
    <div class="row wrap">
      <Button kind="primary" small onClick={() => state.open(entry.id)}>
        {s.open()}
      </Button>
      {status !== UNDONE && (
        <Button small onClick={() => retry.press()} busy={retry.busy} disabled={isReadOnly()}>
          {s.retryTask()}
        </Button>
      )}
    </div>
  );
}
