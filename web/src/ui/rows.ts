// Rows of equal height in a box that scrolls: those in view, and the one that is kept in view.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

const BEYOND = 8; // rows that are ready above and below: a head above them, and the next turn of the wheel

type Box = RefObject<HTMLElement | null>;
type Span = { readonly from: number; readonly to: number };

/** Returns the numbers of the rows in view, and draws the component again when they change. */
export function useRowsInView(box: Box, count: number, rowHeight: number): number[] {
  const [span, setSpan] = useState<Span>({ from: 0, to: 0 });
  useLayoutEffect(() => {
    const element = box.current!;
    const look = () => setSpan((before) => changed(before, spanOf(element, rowHeight)));
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [rowHeight]);
  return rowsOf(span, count);
}

/** Returns the rows of the span, and those that are ready around them. */
export function rowsOf({ from, to }: Span, count: number): number[] {
  const first = Math.max(0, Math.min(from, count) - BEYOND);
  const end = Math.min(count, to + BEYOND);
  return Array.from({ length: Math.max(0, end - first) }, (_, n) => first + n);
}

function spanOf(element: HTMLElement, rowHeight: number): Span {
  const { scrollTop, clientHeight } = element;
  return { from: Math.floor(scrollTop / rowHeight), to: Math.ceil((scrollTop + clientHeight) / rowHeight) };
}

/** Returns the span of before while it is the same, so that nothing is drawn again. */
function changed(before: Span, after: Span): Span {
  return before.from === after.from && before.to === after.to ? before : after;
}

/** Scrolls no further than it takes for the current row to be in view. */
export function useCurrentRow(box: Box, room: Box, current: number | undefined, rowHeight: number): void {
  useEffect(() => {
    if (current === undefined || current < 0) return;
    const element = box.current!;
    const head = headOf(element, room.current!);
    const top = topFor(current, { head, rowHeight, from: element.scrollTop, height: element.clientHeight });
    if (top !== element.scrollTop) element.scrollTop = top;
  }, [current, rowHeight]);
}

/** Returns how much stands above the rows; it may stay there while they scroll below it. */
function headOf(box: HTMLElement, room: HTMLElement): number {
  return room.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientTop + box.scrollTop;
}

type View = {
  readonly head: number;
  readonly rowHeight: number;
  readonly from: number;
  readonly height: number;
};

/** Returns where the box has to stand for the row to be in view, as near to where it stands as can be. */
export function topFor(row: number, { head, rowHeight, from, height }: View): number {
  const highest = row * rowHeight; // the row just below the head
  const lowest = head + highest + rowHeight - height; // the row at the bottom
  return Math.min(highest, Math.max(from, lowest));
}
