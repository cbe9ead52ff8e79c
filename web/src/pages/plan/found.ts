// What there is to say about a plan: the compiler's diagnostics, and characters that hide in its text.
import type { PlacedDiagnostic } from "../../api";
import { piecesOf } from "../../ui/visible";
import type { Lines } from "./lines";
import { s } from "./strings";

export type Level = "error" | "warning";

export function levelOf({ severity }: PlacedDiagnostic): Level {
  return severity === "SEVERITY_ERROR" ? "error" : "warning";
}

export function countLevels(found: readonly PlacedDiagnostic[]): { errors: number; warnings: number } {
  const errors = found.filter((one) => levelOf(one) === "error").length;
  return { errors, warnings: found.length - errors };
}

export type Mark = {
  readonly level: Level;
  readonly from: number;
  readonly to: number;
  readonly text: string;
};

/** Returns what is beside each line: the worst level, the columns of its first diagnostic, and what all of them say. */
export function marksOf(found: readonly PlacedDiagnostic[], lines: Lines): ReadonlyMap<number, Mark> {
  const marks = new Map<number, Mark>();
  for (const one of found) {
    if (!one.line || one.line > lines.count) continue;
    const before = marks.get(one.line);
    const mark = markOf(one, lines);
    if (!before) marks.set(one.line, mark);
    else marks.set(one.line, joined(before, mark));
  }
  return marks;
}

function markOf(one: PlacedDiagnostic, lines: Lines): Mark {
  const from = one.column ?? 1;
  const isWithin = one.endLine === one.line && one.endColumn !== undefined && one.endColumn > from;
  const to = isWithin ? one.endColumn! : [...lines.line(one.line!).slice(0, MOST_MARKED)].length + 1;
  return { level: levelOf(one), from, to, text: one.message ?? "" };
}

const MOST_MARKED = 1000; // characters of a line that are looked at for its mark

function joined(a: Mark, b: Mark): Mark {
  const worse = a.level === "error" || b.level === "warning" ? a : b;
  return { ...worse, text: `${a.text}  ·  ${b.text}` };
}

const MOST_HIDDEN = 20;

/** Returns a warning for each line with characters that hide, reorder or overwrite text. */
export function hiddenIn(lines: Lines): PlacedDiagnostic[] {
  const found = new Map<number, PlacedDiagnostic>();
  let offset = 0;
  for (const piece of piecesOf(lines.text)) {
    if (!piece.hidden) {
      offset += piece.text.length;
      continue;
    }
    const { line, column } = lines.placeOf(offset);
    const message = s.hiddenCharacter(piece.text.slice(1, -1));
    if (!found.has(line))
      found.set(line, { code: "hidden-character", severity: "SEVERITY_WARNING", message, line, column });
    if (found.size >= MOST_HIDDEN) break;
    offset += unitsOfName(piece.text);
  }
  return [...found.values()];
}

/** Returns the length in the text of a character that is told as "⟨U+202E⟩". */
function unitsOfName(name: string): number {
  return Number.parseInt(name.slice(3, -1), 16) > 0xffff ? 2 : 1;
}
