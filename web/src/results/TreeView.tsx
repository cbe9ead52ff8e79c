// A JSON value as a tree that opens on demand.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { format, VirtualList, Visible } from "../ui";
import { visible } from "../ui/visible";
import type { Passage } from "./evidence";
import { Marked } from "./Marked";
import { movedBy } from "./moves";
import { nameText, type Places, waysTo, within } from "./places";
import { type Focus, soughtOf } from "./shown";
import { s } from "./strings";
import { BATCH, isBranch, isRounded, type Json, openAtFirst, type TreeRow, treeRows } from "./tree";

const ROW = 24;
const NONE: readonly Passage[] = [];
const MOST = 300; // characters of a value in its row; a press opens all of it

type Props = {
  value: Json;
  /** What a verdict quotes of it. */
  places?: Places<string> | undefined;
  focus?: Focus | undefined;
  fill?: boolean;
};

export function JsonTree({ value, places, focus, fill = false }: Props) {
  const [open, setOpen] = useState<ReadonlyMap<string, number>>(() => openAtFirst(value));
  const [current, setCurrent] = useState(0);
  const [whole, setWhole] = useState<string | undefined>();
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => treeRows(value, open), [value, open]);
  const sought = soughtOf(places, focus)?.key;
  useEffect(() => {
    if (sought === undefined) return;
    const next = new Map(open);
    for (const { path, entry } of waysTo(value, sought))
      next.set(path, Math.max(next.get(path) ?? BATCH, entry + 1));
    setOpen(next);
    setCurrent(treeRows(value, next).findIndex(({ path, more }) => path === sought && more === undefined));
  }, [focus, sought]);
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
              passages={places?.at.get(rows[n].path) ?? NONE}
              isSought={({ marks }) => rows[n]?.path === sought && marks.includes(focus?.mark ?? -1)}
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
  if (key !== "ArrowLeft") return movedBy(key, current, rows.length);
  if (rows[current]?.isOpen) return undefined;
  const depth = rows[current]?.depth ?? 0;
  return Math.max(
    0,
    rows.slice(0, current).findLastIndex((row) => row.depth < depth),
  );
}

type Quotes = { passages: readonly Passage[]; isSought: (passage: Passage) => boolean };
type RowProps = { row: TreeRow; isCurrent: boolean; press: () => void };

function Row({ row, isCurrent, press, passages, isSought }: RowProps & Quotes) {
  const place = useRef<HTMLDivElement>(null);
  const hasSought = passages.some(isSought);
  useEffect(() => {
    if (hasSought) place.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [hasSought]);
  const canOpen = row.count !== undefined && row.count > 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree answers the keys for all of its rows
    <div
      ref={place}
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
              {marked(String(row.key).slice(0, 200), passages, isSought)}:
            </span>
          )}
          <Value row={row} passages={passages} isSought={isSought} />
        </>
      )}
    </div>
  );
}

/** A text with what is quoted of it. Passages are counted from the beginning of the row: `from` is the text's place there. */
function marked(text: string, passages: readonly Passage[], isSought: Quotes["isSought"], from = 0) {
  const own = within(passages, from, from + text.length);
  return own.length ? <Marked text={text} passages={own} isCurrent={isSought} /> : visible(text);
}

function Value({ row, passages, isSought }: { row: TreeRow } & Quotes) {
  const { value, count } = row;
  const from = nameText(row.key).length;
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
        "{marked(value.slice(0, MOST).replaceAll("\n", "↵"), passages, isSought, from)}
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
  return <span class="json-plain">{marked(String(value), passages, isSought, from)}</span>;
}
