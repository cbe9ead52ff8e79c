// How what an attempt made differs from what was made before it, line by line.
import { type DifferenceLine, tasks, useResource } from "../../api";
import { Failed, Loading, VirtualList, Visible } from "../../ui";
import type { TaskData } from "./data";
import { s } from "./strings";

const SIGNS = { same: " ", added: "+", removed: "−", gap: "⋯" } as const;
const ROW = 20;
const MOST_PLAIN = 300; // lines that are put into the document as they are, and wrap

export function DifferenceView({ data, attempt }: { data: TaskData; attempt: number }) {
  const difference = useResource(
    (signal) => tasks.difference(data.execution, data.id, attempt, undefined, { signal }),
    [data.execution, data.id, attempt],
  );
  if (difference.error.value) return <Failed error={difference.error.value} again={difference.reload} />;
  const told = difference.value.value as (typeof difference.value.value & { sentence?: string }) | undefined;
  if (!told) return <Loading />;
  const lines = told.lines ?? [];
  const number = (kind: DifferenceLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return (
    <figure class="difference">
      <figcaption class="small muted">
        {s.difference(told.before ?? 0, told.after ?? attempt)}
        {lines.length > 0 && ` · ${s.changedLines(number("added"), number("removed"))}`}
      </figcaption>
      {told.sentence && (
        <p>
          <Visible text={told.sentence} />
        </p>
      )}
      {lines.length > 0 && <Lines lines={lines} />}
    </figure>
  );
}

function Lines({ lines }: { lines: readonly DifferenceLine[] }) {
  if (lines.length <= MOST_PLAIN)
    return (
      <div class="diff-lines wraps" role="list">
        {lines.map((line, n) => (
          <Line key={n} line={line} />
        ))}
      </div>
    );
  return (
    <div class="diff-lines long" style={{ height: `${25 * ROW}px` }}>
      <VirtualList
        count={lines.length}
        rowHeight={ROW}
        role="list"
        rowRole="listitem"
        label={s.compare()}
        row={(n) => lines[n] && <Line line={lines[n]} isRow />}
      />
    </div>
  );
}

function Line({ line, isRow = false }: { line: DifferenceLine; isRow?: boolean }) {
  return (
    <div class={`diff-line ${line.kind}`} role={isRow ? undefined : "listitem"}>
      <span class="line-number">{line.beforeLine}</span>
      <span class="line-number">{line.afterLine}</span>
      <span class="sign" aria-hidden={line.kind === "same"}>
        {SIGNS[line.kind]}
      </span>
      <span class="diff-text">
        <Visible text={line.text} most={1000} />
      </span>
    </div>
  );
}
