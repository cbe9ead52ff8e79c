// A text field with line numbers, marks beside the lines and what the compiler says behind them.
//
// The text is the browser's own: its undo, its selection, its input methods. What is drawn lies under it, line by line,
// and only for the lines in view.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useShortcuts, visible } from "../../ui";
import type { Mark } from "./found";
import { Lines, unitsOf } from "./lines";
import { s } from "./strings";
import { indented, newLine } from "./typing";
import "./editor.css";

const LINE = 20; // pixels, as in editor.css
const LONGEST_BEHIND = 400; // characters: nothing is drawn behind longer lines
const LONGEST_NOTE = 300;

export type EditorHandle = { jump: (line: number, column?: number) => void };

type Props = {
  readonly text: string;
  readonly change: (text: string) => void;
  readonly marks: ReadonlyMap<number, Mark>;
  /** The text that the marks are about: a mark is left out where the line has changed since. */
  readonly marked: Lines;
  readonly handle: { current: EditorHandle | undefined };
  readonly footer?: ComponentChildren;
};

type View = { readonly top: number; readonly left: number; readonly height: number };

export function Editor({ text, change, marks, marked, handle, footer }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [view, setView] = useState<View>({ top: 0, left: 0, height: 600 });
  const [place, setPlace] = useState({ line: 1, column: 1 });
  const [leaves, setLeaves] = useState(false);
  const lines = useLines(text);

  useLayoutEffect(() => {
    const element = area.current;
    if (element && element.value !== text) element.value = text; // loaded or put back: typing has it already
  }, [text]);
  useEffect(() => followSize(area.current, setView), []);
  handle.current = { jump: (line, column) => jump(area.current, line, column) };
  useShortcuts([
    { key: "F8", inFields: true, what: s.nextDiagnostic(), run: (event) => step(event.shiftKey ? -1 : 1) },
  ]);

  const step = (by: 1 | -1): boolean => {
    const all = [...marks.keys()].sort((a, b) => by * (a - b));
    const next = all.find((line) => by * (line - place.line) > 0) ?? all[0];
    if (next === undefined) return false;
    jump(area.current, next, marks.get(next)!.from);
    return true;
  };
  const press = (event: KeyboardEvent) => {
    const element = area.current!;
    const isTab = event.key === "Tab" && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (isTab && !leaves) {
      event.preventDefault();
      indented(element, event.shiftKey);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      newLine(element);
    }
    if (event.key !== "Shift") setLeaves(event.key === "Escape");
  };
  const look = () => {
    const { value, selectionStart } = area.current!;
    const before = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const line =
      lines.text === value ? lines.lineAt(selectionStart) : new Lines(value).lineAt(selectionStart);
    setPlace({ line, column: [...value.slice(before, selectionStart)].length + 1 });
  };

  const first = Math.max(1, Math.floor(view.top / LINE));
  const last = Math.min(lines.count, first + Math.ceil(view.height / LINE) + 1);
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
  const isStill = (line: number) => lines === marked || lines.line(line) === marked.line(line);
  return (
    <div class="editor">
      <div class="editor-ground">
        <div
          class="editor-gutter"
          aria-hidden="true"
          style={{ width: `${String(lines.count).length + 4}ch` }}
        >
          {shown.map((line) => (
            <LineNumber
              key={line}
              line={line}
              top={(line - 1) * LINE - view.top}
              mark={marks.get(line)}
              current={line === place.line}
            />
          ))}
        </div>
        <div class="editor-paper">
          <div class="editor-behind" aria-hidden="true">
            {shown.map((line) => {
              const mark = marks.get(line);
              if (!mark || !isStill(line)) return null;
              return (
                <Behind
                  key={line}
                  line={lines.line(line)}
                  mark={mark}
                  top={(line - 1) * LINE - view.top}
                  left={view.left}
                />
              );
            })}
          </div>
          <textarea
            ref={area}
            class="editor-text"
            wrap="off"
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            dir="ltr"
            aria-label={s.editor()}
            aria-describedby="editor-keys"
            onInput={(event) => change(event.currentTarget.value)}
            onScroll={(event) => setView(viewOf(event.currentTarget))}
            onSelect={look}
            onKeyUp={look}
            onClick={look}
            onBlur={() => setLeaves(false)}
            onKeyDown={press}
          />
        </div>
      </div>
      <div class="editor-foot small muted">
        <span class="numbers nowrap">{s.place(place.line, place.column)}</span>
        {footer}
        <span id="editor-keys" class="grow editor-keys">
          {leaves ? s.tabLeaves() : s.editorKeys()}
        </span>
      </div>
    </div>
  );
}

function LineNumber({
  line,
  top,
  mark,
  current,
}: {
  line: number;
  top: number;
  mark: Mark | undefined;
  current: boolean;
}) {
  const title = mark ? visible(mark.text) : undefined;
  return (
    <span
      class={`editor-number ${mark?.level ?? ""} ${current ? "current" : ""}`}
      style={{ top: `${top}px` }}
      title={title}
    >
      {mark && <span class="editor-sign">{mark.level === "error" ? "✕" : "▲"}</span>}
      {line}
    </span>
  );
}

/** Draws the mark of a line: its text again, invisible, so that the underline and the note stand where they belong. */
function Behind({ line, mark, top, left }: { line: string; mark: Mark; top: number; left: number }) {
  if (line.length > LONGEST_BEHIND) return null;
  const from = unitsOf(line, mark.from - 1);
  const to = Math.max(from + 1, unitsOf(line, mark.to - 1));
  return (
    <div class={`editor-line ${mark.level}`} style={{ transform: `translate(${-left}px, ${top}px)` }}>
      <span class="editor-ghost">{line.slice(0, from)}</span>
      <span class="editor-ghost under">{line.slice(from, to) || " "}</span>
      <span class="editor-ghost">{line.slice(to)}</span>
      <span class="editor-note">{visible(mark.text.slice(0, LONGEST_NOTE))}</span>
    </div>
  );
}

function useLines(text: string): Lines {
  const held = useRef(new Lines(text));
  if (held.current.text !== text) held.current = new Lines(text);
  return held.current;
}

function viewOf(area: HTMLTextAreaElement): View {
  return { top: area.scrollTop, left: area.scrollLeft, height: area.clientHeight };
}

function followSize(area: HTMLTextAreaElement | null, tell: (view: View) => void): (() => void) | undefined {
  if (!area) return undefined;
  const watcher = new ResizeObserver(() => tell(viewOf(area)));
  watcher.observe(area);
  return () => watcher.disconnect();
}

/** Puts the cursor at a place and brings it into view. */
function jump(area: HTMLTextAreaElement | null, line: number, column = 1): void {
  if (!area) return;
  const offset = new Lines(area.value).offsetOf(line, column);
  area.focus({ preventScroll: true });
  area.setSelectionRange(offset, offset);
  const above = (line - 1) * LINE;
  const isInView = above >= area.scrollTop && above + LINE <= area.scrollTop + area.clientHeight;
  if (!isInView) area.scrollTop = above - area.clientHeight / 3;
  area.scrollLeft = 0;
}
