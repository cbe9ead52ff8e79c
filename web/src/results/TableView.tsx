// A table that sorts by a press on a column's name; a press on a row opens all of its cells whole.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { format, Modal, VirtualList, Visible } from "../ui";
import { visible } from "../ui/visible";
import type { Passage } from "./evidence";
import { cellText, type Grid, isNumeric, type Order, orderedRows, widthsOf } from "./grid";
import { Marked } from "./Marked";
import { cellKey, type Places, rowOfKey } from "./places";
import { type Focus, soughtOf } from "./shown";
import { s } from "./strings";

const ROW = 30;
const MOST = 200; // characters of a cell in its row; a press on the row opens all of them

type Props = {
  grid: Grid;
  /** What a verdict quotes of it. */
  places?: Places<number> | undefined;
  focus?: Focus | undefined;
  fill?: boolean;
};

export function GridTable({ grid, places, focus, fill = false }: Props) {
  const [order, setOrder] = useState<Order>(undefined);
  const [opened, setOpened] = useState<number | undefined>();
  const numbers = useMemo(() => orderedRows(grid, order), [grid, order]);
  const shape = useMemo(() => shapeOf(grid), [grid]);
  const sought = soughtOf(places, focus)?.key;
  const evidence: Evidence = { places, sought, mark: focus?.mark };
  const current = useMemo(
    () => (sought === undefined ? undefined : numbers.indexOf(rowOfKey(grid, sought))),
    [sought, numbers],
  );
  const sort = (column: number) =>
    setOrder(
      order?.column !== column
        ? { column, isDown: false }
        : order.isDown
          ? undefined
          : { column, isDown: true },
    );
  return (
    <div
      class={`grid-table ${fill ? "fill" : ""}`}
      style={fill ? {} : { height: `${Math.min(grid.rows.length, 16) * ROW + 56}px` }}
    >
      <VirtualList
        count={numbers.length}
        rowHeight={ROW}
        role="table"
        rowRole="row"
        label={`${s.table()}, ${s.rows(format.count(numbers.length))}`}
        current={current}
        keyOf={(n) => numbers[n] ?? n}
        head={<Head grid={grid} shape={shape} order={order} sort={sort} evidence={evidence} />}
        row={(n) => (
          <Row
            grid={grid}
            shape={shape}
            n={numbers[n]!}
            open={() => setOpened(numbers[n])}
            evidence={evidence}
          />
        )}
      />
      {opened !== undefined && (
        <WholeRow grid={grid} n={opened} close={() => setOpened(undefined)} evidence={evidence} />
      )}
    </div>
  );
}

/** What is quoted of the table, the cell that is sought, and the result of the verdict whose evidence that is. */
type Evidence = {
  readonly places: Places<number> | undefined;
  readonly sought: number | undefined;
  readonly mark: number | undefined;
};

/** The text of a cell, with what is quoted of it. A cell that is sought comes into view, also sideways. */
function CellText({ text, at, evidence }: { text: string; at: number; evidence: Evidence }) {
  const place = useRef<HTMLSpanElement>(null);
  const isSought = evidence.sought === at;
  useEffect(() => {
    if (isSought) place.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [isSought]);
  const passages = evidence.places?.at.get(at);
  if (!passages) return <>{visible(text)}</>;
  const isCurrent = ({ marks }: Passage) => isSought && marks.includes(evidence.mark ?? -1);
  return (
    <span ref={place}>
      <Marked text={text} passages={passages} isCurrent={isCurrent} />
    </span>
  );
}

/** Tells by a class that a verdict quotes a cell, of which the quoted part may not be in view. */
function evidenceClass(evidence: Evidence, at: number): string {
  return evidence.places?.at.has(at) ? "evidence" : "";
}

type Shape = { readonly columns: string; readonly width: string; readonly numeric: readonly boolean[] };

function shapeOf(grid: Grid): Shape {
  const widths = widthsOf(grid);
  return {
    columns: `56px ${widths.map((width) => `minmax(${width + 2}ch, ${width}fr)`).join(" ")}`,
    width: `calc(56px + ${widths.reduce((sum, width) => sum + width + 2, 0)}ch)`,
    numeric: grid.columns.map((_, n) => isNumeric(grid, n)),
  };
}

type HeadProps = {
  grid: Grid;
  shape: Shape;
  order: Order;
  sort: (column: number) => void;
  evidence: Evidence;
};

function Head({ grid, shape, order, sort, evidence }: HeadProps) {
  return (
    <div class="grid-head" role="rowgroup" style={{ minWidth: shape.width }}>
      <div class="grid-row" role="row" style={{ gridTemplateColumns: shape.columns }}>
        <span role="columnheader" class="grid-number">
          #
        </span>
        {grid.columns.map((name, n) => (
          <span
            key={n}
            role="columnheader"
            aria-sort={sorted(order, n)}
            class={`${shape.numeric[n] ? "number" : ""} ${evidenceClass(evidence, n)}`}
          >
            <button type="button" onClick={() => sort(n)} title={s.sortBy(visible(name))}>
              {name ? <CellText text={name} at={n} evidence={evidence} /> : "—"}
              <span aria-hidden="true">{order?.column === n ? (order.isDown ? " ▼" : " ▲") : ""}</span>
            </button>
          </span>
        ))}
      </div>
    </div>
  );
}

function sorted(order: Order, column: number): "ascending" | "descending" | "none" {
  if (order?.column !== column) return "none";
  return order.isDown ? "descending" : "ascending";
}

type RowProps = { grid: Grid; shape: Shape; n: number; open: () => void; evidence: Evidence };

function Row({ grid, shape, n, open, evidence }: RowProps) {
  const cells = grid.rows[n] ?? [];
  return (
    <div class="grid-row" style={{ gridTemplateColumns: shape.columns, minWidth: shape.width }}>
      <span role="cell" class="grid-number">
        <button type="button" onClick={open} aria-label={s.rowN(format.count(n + 1))}>
          {n + 1}
        </button>
      </span>
      {grid.columns.map((_, column) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the button at the row's number does the same
        <span
          key={column}
          role="cell"
          dir="auto"
          class={`${shape.numeric[column] ? "number" : ""} ${evidenceClass(evidence, cellKey(grid, n, column))}`}
          onClick={open}
        >
          <CellText
            text={cellText(cells[column]).slice(0, MOST)}
            at={cellKey(grid, n, column)}
            evidence={evidence}
          />
        </span>
      ))}
    </div>
  );
}

type WholeProps = { grid: Grid; n: number; close: () => void; evidence: Evidence };

function WholeRow({ grid, n, close, evidence }: WholeProps) {
  const isQuoted = (column: number) => evidence.places?.at.has(cellKey(grid, n, column));
  return (
    <Modal title={s.rowN(format.count(n + 1))} close={close} wide>
      <dl class="whole-row">
        {grid.columns.map((name, column) => (
          <div key={column}>
            <dt>{visible(name)}</dt>
            <dd>
              {isQuoted(column) ? (
                <CellText
                  text={cellText(grid.rows[n]?.[column])}
                  at={cellKey(grid, n, column)}
                  evidence={evidence}
                />
              ) : (
                <Visible text={cellText(grid.rows[n]?.[column])} />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
