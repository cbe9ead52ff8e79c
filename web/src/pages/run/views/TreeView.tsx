// The decomposition: groups with what is in them, each with how far it is.
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { DONE } from "../../../store";
import { StateMark, useShortcuts, VirtualList, Visible } from "../../../ui";
import { tally } from "../canvas/tally";
import { isActive } from "../model/filter";
import type { TreeEntry } from "../model/model";
import { useRows } from "../rows";
import type { RunState } from "../state";
import { s } from "../strings";
import "./tree.css";

export function TreeView({ state }: { state: RunState }) {
  const closed = useMemo(() => signal<ReadonlySet<string>>(new Set()), []);
  const rows = visibleRows(state, closed.value);
  const at = useRows(
    state,
    rows.map(({ id }) => id),
  );
  const toggle = (id: string, shut: boolean) => {
    const next = new Set(closed.value);
    if (shut) next.add(id);
    else next.delete(id);
    closed.value = next;
  };
  const selected = () => state.model.byId.get(state.selected.value);
  useShortcuts([
    { key: "ArrowDown", what: s.keyMove(), run: () => at.move(1) },
    { key: "ArrowUp", what: s.keyMove(), run: () => at.move(-1) },
    { key: "ArrowRight", what: s.expand(), run: () => fold(selected(), false) },
    { key: "ArrowLeft", what: s.collapse(), run: () => fold(selected(), true) },
  ]);
  /** Folds a group; from what cannot be folded, the left arrow leads to what it is in. */
  const fold = (entry: TreeEntry | undefined, shut: boolean) => {
    if (!entry) return false;
    if (!entry.atomic && closed.value.has(entry.id) !== shut) toggle(entry.id, shut);
    else if (shut && entry.parent) state.selected.value = entry.parent;
    return true;
  };
  if (rows.length === 0) return <p class="muted nothing">{s.nothingMatches()}</p>;
  return (
    <VirtualList
      class="task-tree"
      role="tree"
      label={s.tree()}
      count={rows.length}
      rowHeight={34}
      current={at.current}
      keyOf={(n) => rows[n]?.id ?? n}
      row={(n) =>
        rows[n] && <Row state={state} entry={rows[n]} shut={closed.value.has(rows[n].id)} toggle={toggle} />
      }
    />
  );
}

function visibleRows(state: RunState, closed: ReadonlySet<string>): TreeEntry[] {
  const matches = isActive(state.filter.value) ? state.matches.value : undefined;
  const hidden = new Set<string>(closed);
  return state.model.tree.filter((entry) => {
    if (entry.parent && hidden.has(entry.parent)) {
      hidden.add(entry.id);
      return false;
    }
    return !matches || entry.tasks.some(matches);
  });
}

type RowProps = {
  state: RunState;
  entry: TreeEntry;
  shut: boolean;
  toggle: (id: string, shut: boolean) => void;
};

function Row({ state, entry, shut, toggle }: RowProps) {
  const fold = state.store.live;
  const { counts, status } = tally(entry.tasks, fold);
  const isSelected = state.selected.value === entry.id;
  const n = state.model.number.get(entry.id);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the page move, fold and open rows
    <div
      class={`tree-row ${isSelected ? "selected" : ""}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={entry.depth + 1}
      aria-selected={isSelected}
      aria-expanded={entry.atomic ? undefined : !shut}
      style={{ paddingInlineStart: `${16 + entry.depth * 22}px` }}
      onClick={() => (state.selected.value = entry.id)}
      onDblClick={() => (entry.atomic ? state.open(entry.id) : toggle(entry.id, !shut))}
    >
      {entry.atomic ? (
        <span class="twist" />
      ) : (
        <button
          type="button"
          class="twist"
          tabIndex={-1}
          aria-label={shut ? s.expand() : s.collapse()}
          onClick={() => toggle(entry.id, !shut)}
        >
          {shut ? "▸" : "▾"}
        </button>
      )}
      <StateMark status={status} />
      <span class={`mono ${entry.atomic ? "" : "group-id"}`}>{entry.id}</span>
      <span class={`ellipsis grow ${entry.atomic ? "muted" : ""}`}>
        <Visible text={entry.description} most={200} />
      </span>
      {entry.atomic ? (
        <span class="muted small ellipsis">
          <Visible text={n === undefined ? "" : fold.worker[n]} most={60} />
        </span>
      ) : (
        <span class="muted small numbers nowrap">{s.groupDone(counts[DONE]!, entry.tasks.length)}</span>
      )}
    </div>
  );
}
