// Any text, row by row: only the rows in view are in the document, so that its size does not matter.
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { VirtualList } from "../ui";
import type { Passage } from "./evidence";
import { Marked } from "./Marked";
import { rowAt, rowsOf, type TextRow } from "./rows";
import type { Focus } from "./shown";

const ROW = 20; // pixels
const FEW = 24; // columns at least

type Props = {
  text: string;
  label: string;
  passages?: readonly Passage[];
  focus?: Focus | undefined;
  fill?: boolean;
};

export function TextView({ text, label, passages = [], focus, fill = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const columns = useColumns(box);
  const rows = useMemo(() => rowsOf(text, columns), [text, columns]);
  const current = focus ? passages.filter(({ marks }) => marks.includes(focus.mark)) : [];
  const sought = focus && current.length > 0 ? current[focus.turn % current.length] : undefined;
  useEffect(() => {
    const list = box.current?.querySelector(".virtual");
    if (sought && list) list.scrollTop = Math.max(0, rowAt(rows, sought.from) * ROW - list.clientHeight / 3);
  }, [focus, sought, rows]);
  const digits = String(rows.at(-1)?.line ?? rows.length).length;
  return (
    <div
      ref={box}
      class={`text-view digits-${Math.min(9, Math.max(2, digits))} ${fill ? "fill" : ""}`}
      style={fill ? {} : { height: `${Math.min(rows.length, 28) * ROW + 18}px` }}
    >
      <VirtualList
        count={rows.length}
        rowHeight={ROW}
        role="list"
        rowRole="listitem"
        label={label}
        row={(n) => rows[n] && <Row text={text} row={rows[n]} passages={passages} sought={sought} />}
      />
    </div>
  );
}

type RowProps = { text: string; row: TextRow; passages: readonly Passage[]; sought: Passage | undefined };

function Row({ text, row, passages, sought }: RowProps) {
  const parts = passages
    .filter(({ from, to }) => from < row.to && to > row.from)
    .map((passage) => ({
      passage,
      part: { ...passage, from: Math.max(passage.from, row.from) - row.from, to: passage.to - row.from },
    }));
  return (
    <div class="text-row">
      <span class="line-number">{row.line}</span>
      <span class="line-text" dir="ltr">
        <Marked
          text={text.slice(row.from, row.to)}
          passages={parts.map(({ part }) => part)}
          isCurrent={(part) => parts.some((one) => one.part === part && one.passage === sought)}
        />
      </span>
    </div>
  );
}

/** Returns how many columns of text fit into the box, and follows its size. */
function useColumns(box: RefObject<HTMLDivElement | null>): number {
  const [columns, setColumns] = useState(100);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      const room = element.clientWidth - 88; // the numbers, the spaces beside the text, and the scroll bar
      setColumns(Math.max(FEW, Math.floor(room / characterWidth(element))));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return columns;
}

function characterWidth(element: HTMLElement): number {
  const probe = element.ownerDocument.createElement("span");
  probe.className = "line-text probe";
  probe.textContent = "0".repeat(50);
  element.append(probe);
  const width = probe.getBoundingClientRect().width / 50;
  probe.remove();
  return width || 8;
}
