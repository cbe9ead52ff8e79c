// Texts of plans, models and workers are hostile: characters that hide, reorder or overwrite are made visible.

export type Piece = { readonly text: string; readonly hidden: boolean };

// C0 and C1 controls without tab and line feed; soft hyphen; zero-width, bidi and invisible characters; interlinear
// annotation; byte order mark; lone surrogates; language tags; numbers that Unicode gives to no character.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: so are combining characters, each for itself
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufdd0-\ufdef\ufffe\uffff]|[\ud83f\ud87f\ud8bf\ud8ff\ud93f\ud97f\ud9bf\ud9ff\uda3f\uda7f\udabf\udaff\udb3f\udb7f\udbbf\udbff][\udffe\udfff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

// A zero-width joiner inside an emoji, and "\r" before "\n", are ordinary text.
const EMOJI = /\p{Extended_Pictographic}/u;

/** Returns the text in pieces: ordinary ones, and one for each hidden character, as its code point. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const at = match.index;
    if (isOrdinary(text, at, match[0])) continue;
    if (at > done) pieces.push({ text: text.slice(done, at), hidden: false });
    pieces.push({ text: nameOf(match[0]), hidden: true });
    done = at + match[0].length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), hidden: false });
  return pieces;
}

/** Returns the text as one string, for attributes and the canvas. */
export function visible(text: string): string {
  return piecesOf(text)
    .map((piece) => piece.text)
    .join("");
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function isOrdinary(text: string, at: number, character: string): boolean {
  if (character === "\r") return text[at + 1] === "\n";
  if (character !== "\u200d") return false;
  const before = [...text.slice(Math.max(0, at - 4), at)];
  return (
    before.some((one) => EMOJI.test(one)) && EMOJI.test(String.fromCodePoint(text.codePointAt(at + 1) ?? 32))
  );
}
