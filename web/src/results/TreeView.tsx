// A JSON value as a tree that opens on demand.
import { useMemo, useRef, useState } from "preact/hooks";
import { format, VirtualList, Visible } from "../ui";
import { visible } from "../ui/visible";
import { s } from "./strings";
import { BATCH, isBranch, isRounded, type Json, openAtFirst, type TreeRow, treeRows } from "./tree";

const ROW = 24;
const MOST = 300; // characters of a value in its row; a press opens all of it

export function JsonTree({ value, fill = false }: { value: Json; fill?: boolean }) {
  const [open, setOpen] = useState<ReadonlyMap<string, number>>(() => openAtFirst(value));
  const [current, setCurrent] = useState(0);
  const [whole, setWhole] = useState<string | undefined>();
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => treeRows(value, open), [value, open]);
  const toggle = (row: TreeRow) => {
    if (!isBranch(row.value) && row.more === undefined)
      return setWhole(typeof row.value === "string" && row.value.length > MOST ? row.value : undefined);
    const next = new Map(open);
    if (row.more !== undefined) next.set(row.path, (open.get(row.path) ?? BATCH) + BATCH * 4);
    else if (row.isOpen) next.delete(row.path);
    else next.set(row.path, BATCH);
    setOpen(next);
  };
  const keys = (event: KeyboardEvent) => {
    const moved = moveOf(event.key, current, rows);
    const row = rows[current];
    const mustToggle =
      row &&
      (event.key === "Enter" ||
        (event.key === "ArrowRight" && !row.isOpen && row.count !== undefined) ||
        (event.key === "ArrowLeft" && row.isOpen));
    if (moved === undefined && !mustToggle) return;
    event.preventDefault();
    event.stopPropagation();
    if (mustToggle) toggle(row);
    else setCurrent(moved!);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the tree within has the focus, and its keys come up here
    <div
      ref={box}
      class={`json-tree ${fill ? "fill" : ""}`}
      style={fill ? {} : { height: `${Math.min(rows.length, 22) * ROW + 18}px` }}
      onKeyDown={keys}
    >
      <VirtualList
        count={rows.length}
        rowHeight={ROW}
        role="tree"
        label={s.tree()}
        current={current}
        keyOf={(n) => `${rows[n]?.path} ${rows[n]?.more !== undefined}`}
        row={(n) =>
          rows[n] && (
            <Row
              row={rows[n]}
              isCurrent={n === current}
              press={() => {
                setCurrent(n);
                toggle(rows[n]!);
              }}
            />
          )
        }
      />
      {whole !== undefined && (
        <div class="whole-value">
          <button type="button" class="close" aria-label={s.shut()} onClick={() => setWhole(undefined)}>
            ×
          </button>
          <Visible text={whole} most={100_000} />
        </div>
      )}
    </div>
  );
}

function moveOf(key: string, current: number, rows: readonly TreeRow[]): number | undefined {
  if (key === "ArrowDown") return Math.min(rows.length - 1, current + 1);
  if (key === "ArrowUp") return Math.max(0, current - 1);
  if (key === "Home") return 0;
  if (key === "End") return rows.length - 1;
  if (key !== "ArrowLeft" || rows[current]?.isOpen) return undefined;
  const depth = rows[current]?.depth ?? 0;
  return Math.max(
    0,
    rows.slice(0, current).findLastIndex((row) => row.depth < depth),
  );
}

function Row({ row, isCurrent, press }: { row: TreeRow; isCurrent: boolean; press: () => void }) {
  const canOpen = row.count !== undefined && row.count > 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree answers the keys for all of its rows
    <div
      class={`json-row ${isCurrent ? "current" : ""}`}
      style={{ paddingInlineStart: `${Math.min(row.depth, 40) * 16 + 6}px` }}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={canOpen ? row.isOpen : undefined}
      aria-selected={isCurrent}
      onClick={press}
    >
      <span class="json-twist" aria-hidden="true">
        {canOpen && row.more === undefined ? (row.isOpen ? "▾" : "▸") : ""}
      </span>
      {row.more !== undefined ? (
        <span class="json-more">… {s.moreEntries(format.count(row.more))}</span>
      ) : (
        <>
          {row.key !== undefined && (
            <span class={typeof row.key === "number" ? "json-number" : "json-key"}>
              {visible(String(row.key).slice(0, 200))}:
            </span>
          )}
          <Value row={row} />
        </>
      )}
    </div>
  );
}

function Value({ row }: { row: TreeRow }) {
  const { value, count } = row;
  if (count !== undefined) {
    const [first, last] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
    return (
      <span class="muted">
        {first}
        {count === 0 ? "" : ` ${s.entries(format.count(count))} `}
        {last}
      </span>
    );
  }
  if (typeof value === "string") {
    const isLong = value.length > MOST;
    return (
      <span class="json-string">
        "{visible(value.slice(0, MOST)).replaceAll("\n", "↵")}
        {isLong ? "… ⤢" : '"'}
      </span>
    );
  }
  if (typeof value === "number" && isRounded(value))
    return (
      <span class="json-plain" title={s.rounded()}>
        ≈ {String(value)}
      </span>
    );
  return <span class="json-plain">{String(value)}</span>;
}
