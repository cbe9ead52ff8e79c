import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import "./virtual.css";

type Props = {
  readonly count: number;
  readonly rowHeight: number;
  readonly row: (n: number) => ComponentChildren;
  readonly keyOf?: (n: number) => string | number;
  /** The row to keep in view. */
  readonly current?: number | undefined;
  readonly class?: string;
  readonly role?: "table" | "grid" | "list" | "tree";
  readonly rowRole?: "row" | "listitem";
  readonly label?: string;
  readonly head?: ComponentChildren;
};

/** A list of which only the rows in view are in the document. */
export function VirtualList(props: Props) {
  const { count, rowHeight, row, keyOf, current } = props;
  const isTable = props.role === "table" || props.role === "grid";
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const list = useMemo(
    () =>
      new Virtualizer<HTMLDivElement, HTMLDivElement>({
        count,
        getScrollElement: () => box.current,
        estimateSize: () => rowHeight,
        overscan: 8,
        scrollToFn: elementScroll,
        observeElementRect,
        observeElementOffset,
        onChange: () => redraw((n) => n + 1),
      }),
    [rowHeight],
  );
  list.setOptions({ ...list.options, count });
  useLayoutEffect(() => list._didMount(), [list]);
  useLayoutEffect(() => list._willUpdate());
  useEffect(() => {
    if (current !== undefined && current >= 0) list.scrollToIndex(current, { align: "auto" });
  }, [current, list]);
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role comes from the caller, and supports them
    <div
      ref={box}
      class={`virtual ${props.class ?? ""}`}
      role={props.role}
      aria-label={props.label}
      tabIndex={0}
      aria-rowcount={isTable ? count + 1 : undefined}
    >
      {props.head}
      <div
        class="virtual-room"
        style={{ height: `${list.getTotalSize()}px` }}
        role={isTable ? "rowgroup" : "none"}
      >
        {list.getVirtualItems().map((item) => (
          // biome-ignore lint/a11y/useAriaPropsSupportedByRole: as above
          <div
            key={keyOf ? keyOf(item.index) : item.index}
            class="virtual-row"
            role={props.rowRole ?? "none"}
            aria-rowindex={props.rowRole === "row" ? item.index + 2 : undefined}
            style={{ height: `${item.size}px`, transform: `translateY(${item.start}px)` }}
          >
            {row(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
