import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useCurrentRow, useRowsInView } from "./rows";
import "./virtual.css";

type Props = {
  readonly count: number;
  readonly rowHeight: number;
  readonly row: (n: number) => ComponentChildren;
  readonly keyOf?: (n: number) => string | number;
  /** The row to keep in view. */
  readonly current?: number | undefined;
  readonly class?: string;
  readonly role?: "table" | "grid" | "list" | "tree" | "listbox";
  readonly rowRole?: "row" | "listitem";
  readonly label?: string;
  /** The id of the row that has the keys. */
  readonly active?: string | undefined;
  readonly head?: ComponentChildren;
};

/** A list of which only the rows in view are in the document. */
export function VirtualList(props: Props) {
  const { count, rowHeight, row, keyOf, current } = props;
  const isTable = props.role === "table" || props.role === "grid";
  const box = useRef<HTMLDivElement>(null);
  const room = useRef<HTMLDivElement>(null);
  const rows = useRowsInView(box, count, rowHeight);
  useCurrentRow(box, room, current, rowHeight);
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role comes from the caller, and supports them
    <div
      ref={box}
      class={`virtual ${props.class ?? ""}`}
      role={props.role}
      aria-label={props.label}
      tabIndex={0}
      aria-activedescendant={props.active}
      aria-rowcount={isTable ? count + 1 : undefined}
    >
      {props.head}
      <div
        ref={room}
        class="virtual-room"
        style={{ height: `${count * rowHeight}px` }}
        role={isTable ? "rowgroup" : "none"}
      >
        {rows.map((n) => (
          // biome-ignore lint/a11y/useAriaPropsSupportedByRole: as above
          <div
            key={keyOf ? keyOf(n) : n}
            class="virtual-row"
            role={props.rowRole ?? "none"}
            aria-rowindex={props.rowRole === "row" ? n + 2 : undefined}
            style={{ height: `${rowHeight}px`, transform: `translateY(${n * rowHeight}px)` }}
          >
            {row(n)}
          </div>
        ))}
      </div>
    </div>
  );
}
