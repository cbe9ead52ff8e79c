// The tree of a plan: groups, and the tasks in them. The arrow keys go through it, open and close.
import { useMemo, useRef, useState } from "preact/hooks";
import { words } from "../../i18n";
import { Button, VirtualList, visible } from "../../ui";
import { type Entry, opened, type Timetable } from "./grid";
import { s } from "./strings";

const ROW = 32;

type Props = {
  readonly table: Timetable;
  readonly selected: string | undefined;
  readonly select: (id: string) => void;
};

export function Tree({ table, selected, select }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => opened(table.top, closed), [table, closed]);
  const at = rows.findIndex(({ id }) => id === selected);
  const fold = (id: string, close: boolean) => {
    const next = new Set(closed);
    if (close) next.add(id);
    else next.delete(id);
    setClosed(next);
  };
  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    select(entry.id);
    requestAnimationFrame(() =>
      box.current?.querySelector<HTMLElement>(`[data-entry="${entry.id}"]`)?.focus({ preventScroll: true }),
    );
  };
  const press = (event: KeyboardEvent) => {
    const entry = rows[at];
    const isGroup = entry && !entry.atomic;
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(rows[at + 1] ?? rows[at]),
      ArrowUp: () => go(rows[Math.max(0, at - 1)]),
      Home: () => go(rows[0]),
      End: () => go(rows.at(-1)),
      ArrowRight: () => isGroup && (closed.has(entry.id) ? fold(entry.id, false) : go(entry.children[0])),
      ArrowLeft: () => (isGroup && !closed.has(entry.id) ? fold(entry.id, true) : go(parentOf(rows, at))),
    };
    const run = moves[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  const groups = () => [...table.entries.values()].filter(({ atomic }) => !atomic).map(({ id }) => id);
  return (
    <div class="stack tight fill">
      <div class="row">
        <Button small onClick={() => setClosed(new Set(groups()))}>
          {s.closeAll()}
        </Button>
        <Button small onClick={() => setClosed(new Set())}>
          {s.openAll()}
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are of the tree in it */}
      <div class="plan-tree" ref={box} onKeyDown={press}>
        <VirtualList
          role="tree"
          label={s.tree()}
          count={rows.length}
          rowHeight={ROW}
          current={at}
          keyOf={(n) => rows[n]!.id}
          row={(n) => {
            const entry = rows[n]!;
            const isClosed = closed.has(entry.id);
            return (
              <div
                class={`plan-row ${entry.id === selected ? "selected" : ""}`}
                role="treeitem"
                data-entry={entry.id}
                aria-level={entry.depth + 1}
                aria-selected={entry.id === selected}
                aria-expanded={entry.atomic ? undefined : !isClosed}
                tabIndex={n === Math.max(0, at) ? 0 : -1}
                style={{ paddingLeft: `${8 + entry.depth * 20}px` }}
                onClick={() => {
                  select(entry.id);
                  if (!entry.atomic) fold(entry.id, !isClosed);
                }}
                onKeyDown={(event) => event.key === "Enter" && select(entry.id)}
              >
                <span class="tree-fold" aria-hidden="true">
                  {entry.atomic ? "·" : isClosed ? "▸" : "▾"}
                </span>
                <code>{entry.id}</code>
                <span class="ellipsis grow">{visible(entry.description.slice(0, 300))}</span>
                {entry.atomic && <span class="small muted">{words.stageN(entry.stage)}</span>}
              </div>
            );
          }}
        />
      </div>
    </div>
  );
}

function parentOf(rows: readonly Entry[], at: number): Entry | undefined {
  const depth = rows[at]?.depth ?? 0;
  return rows.slice(0, Math.max(0, at)).findLast((entry) => entry.depth < depth);
}
