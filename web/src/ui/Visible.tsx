import { useState } from "preact/hooks";
import { words } from "../i18n";
import { piecesOf } from "./visible";
import "./visible.css";

const MOST = 4000; // characters shown before a person asks for all of them

/** Text of a plan, a model or a worker, with hidden characters made visible; long text is cut until it is opened. */
export function Visible({ text, most = MOST }: { text: string | undefined; most?: number }) {
  const [whole, setWhole] = useState(false);
  const all = text ?? "";
  const isCut = all.length > most;
  const shown = isCut && !whole ? `${all.slice(0, most)}…` : all;
  return (
    <span class="visible" dir="auto">
      <Pieces text={shown} />
      {isCut && (
        <button type="button" class="more" onClick={() => setWhole(!whole)}>
          {whole ? words.showLess() : words.showMore()}
        </button>
      )}
    </span>
  );
}

/** A text as it is, but with hidden characters made visible. */
export function Pieces({ text }: { text: string }) {
  return (
    <>
      {piecesOf(text).map((piece, n) =>
        piece.hidden ? (
          <span key={n} class="hidden-character">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}
