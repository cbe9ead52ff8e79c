// A table that sorts by a press on a column's name; a press on a row opens all of its cells whole.
import { useMemo, useState } from "preact/hooks";
import { format, Modal, VirtualList, Visible } from "../ui";
import { visible } from "../ui/visible";
import { cellText, type Grid, isNumeric, type Order, orderedRows, widthsOf } from "./grid";
import { s } from "./strings";

const ROW = 30;

export function GridTable({ grid, fill = false }: { grid: Grid; fill?: boolean }) {
  const [order, setOrder] = useState<Order>(undefined);
  const [opened, setOpened] = useState<number | undefined>();
  const numbers = useMemo(() => orderedRows(grid, order), [grid, order]);
  const shape = useMemo(() => shapeOf(grid), [grid]);
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
        keyOf={(n) => numbers[n] ?? n}
        head={<Head grid={grid} shape={shape} order={order} sort={sort} />}
        row={(n) => <Row grid={grid} shape={shape} n={numbers[n]!} open={() => setOpened(numbers[n])} />}
      />
      {opened !== undefined && <WholeRow grid={grid} n={opened} close={() => setOpened(undefined)} />}
    </div>
  );
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

type HeadProps = { grid: Grid; shape: Shape; order: Order; sort: (column: number) => void };

function Head({ grid, shape, order, sort }: HeadProps) {
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
            class={shape.numeric[n] ? "number" : ""}
          >
            <button type="button" onClick={() => sort(n)} title={s.sortBy(visible(name))}>
              {visible(name) || "—"}
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

function Row({ grid, shape, n, open }: { grid: Grid; shape: Shape; n: number; open: () => void }) {
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
          class={shape.numeric[column] ? "number" : ""}
          onClick={open}
        >
          {visible(cellText(cells[column]).slice(0, 200))}
        </span>
      ))}
    </div>
  );
}

function WholeRow({ grid, n, close }: { grid: Grid; n: number; close: () => void }) {
  return (
    <Modal title={s.rowN(format.count(n + 1))} close={close} wide>
      <dl class="whole-row">
        {grid.columns.map((name, column) => (
          <div key={column}>
            <dt>{visible(name)}</dt>
            <dd>
              <Visible text={cellText(grid.rows[n]?.[column])} />
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
