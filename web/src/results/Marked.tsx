// A text in which the passages that a verdict quotes are marked, and hidden characters are visible.
import { Pieces } from "../ui";
import type { Passage } from "./evidence";

/** `isCurrent` tells of a passage whether it is the one that was sought. */
export function Marked({
  text,
  passages,
  isCurrent,
}: {
  text: string;
  passages: readonly Passage[];
  isCurrent: (passage: Passage) => boolean;
}) {
  return (
    <>
      {cut(text.length, passages).map(({ from, to, passage }) =>
        passage ? (
          <mark key={from} class={isCurrent(passage) ? "current" : ""}>
            <Pieces text={text.slice(from, to)} />
          </mark>
        ) : (
          <Pieces key={from} text={text.slice(from, to)} />
        ),
      )}
    </>
  );
}

/** Cuts a text at its passages. */
function cut(length: number, passages: readonly Passage[]) {
  const parts: { from: number; to: number; passage?: Passage }[] = [];
  let done = 0;
  for (const passage of passages) {
    const [from, to] = [Math.max(passage.from, done), Math.min(passage.to, length)];
    if (from >= to) continue;
    if (from > done) parts.push({ from: done, to: from });
    parts.push({ from, to, passage });
    done = to;
  }
  if (done < length) parts.push({ from: done, to: length });
  return parts;
}
