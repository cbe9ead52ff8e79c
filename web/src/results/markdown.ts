// Markdown as a fragment of the document. It is hostile: no HTML of its own, nothing fetched, no address but http, https
// and mailto.
import MarkdownIt from "markdown-it";
import { piecesOf, visible } from "../ui/visible";
import { built } from "./built";
import { type Passage, passagesIn, type Quoted } from "./evidence";

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

const parser = new MarkdownIt("default", { html: false, linkify: false, typographer: false, maxNesting: 40 });
// Which address makes a link is decided below, where it stays readable.
parser.validateLink = () => true;
parser.normalizeLink = (address) => address;
parser.normalizeLinkText = (address) => address;

const MOST_TOKENS = 30_000; // a short text can make tables of tens of thousands of cells

const MOST_PICTURES = 200; // of a document; the others are links to their files

/** Words of the page that stand in a document. */
export type MarkdownWords = { readonly picture: string; readonly rest: string; readonly broken: string };
/** A file that an address in the document means; `url`: it is a picture, and that is where its bytes are. */
export type LinkedFile = { readonly url: string | undefined; readonly open: () => void };
export type Linked = (address: string) => LinkedFile | undefined;

/** Returns the Markdown as a fragment, in which the passages that are quoted are marked. */
export function renderMarkdown(
  text: string,
  quoted: readonly Quoted[] = [],
  words: MarkdownWords = { picture: "", rest: "…", broken: "" },
  linked: Linked = () => undefined,
): DocumentFragment {
  const tokens = parser.parse(text, {});
  const shown = tokens.length > MOST_TOKENS ? tokens.slice(0, endWithin(tokens)) : tokens;
  const fragment = built(shown, document);
  markPassages(fragment, quoted); // first: what is added below is no part of the text
  let pictures = 0;
  for (const link of [...fragment.querySelectorAll("a")]) {
    const file = linked(link.getAttribute("href") ?? "");
    if (file?.url && link.dataset.picture && pictures++ < MOST_PICTURES) showPicture(link, file.url, words);
    else if (file && !link.parentElement?.closest("a")) openFile(link, file);
    else tameLink(link, words.picture);
  }
  for (const table of [...fragment.querySelectorAll("table")]) makeRoomFor(table);
  showHidden(fragment);
  if (shown.length < tokens.length) fragment.append(noteOf(fragment, words.rest));
  return fragment;
}

/** Returns how many of the tokens are whole blocks and few enough. */
function endWithin(tokens: readonly { level: number; nesting: number }[]): number {
  for (let end = MOST_TOKENS; end > 0; end--) {
    const last = tokens[end - 1]!;
    if (last.level === 0 && last.nesting < 1) return end;
  }
  return 0;
}

function noteOf(fragment: DocumentFragment, text: string): HTMLElement {
  const note = fragment.ownerDocument.createElement("p");
  note.className = "result-note";
  note.textContent = text;
  return note;
}

/** Shows a picture of the same result, as an image element alone: in an image no script runs, and nothing is fetched. */
function showPicture(link: HTMLElement, url: string, words: MarkdownWords): void {
  const image = link.ownerDocument.createElement("img");
  image.alt = visible(link.textContent ?? "");
  image.loading = "lazy";
  image.addEventListener("error", () =>
    image.replaceWith(`${words.picture}: ${image.alt} (${words.broken})`),
  );
  image.src = url;
  link.replaceWith(image);
}

/** Makes a link to another file of the same result a button that opens it. */
function openFile(link: HTMLElement, file: LinkedFile): void {
  const button = link.ownerDocument.createElement("button");
  button.type = "button";
  button.className = "file-link";
  button.append(...link.childNodes);
  if (!button.textContent) button.append(link.getAttribute("href") ?? "");
  button.addEventListener("click", file.open);
  link.replaceWith(button);
}

/** Keeps a link that leads to another site or to a mailbox; of any other, the text and the address stay, and no link. */
function tameLink(link: HTMLAnchorElement, picture: string): void {
  const address = link.getAttribute("href") ?? "";
  const isPicture = link.hasAttribute("data-picture");
  if (isPicture && picture) link.prepend(`${picture}: `);
  const safe = safeAddress(address);
  const text = (link.textContent ?? "").trim();
  if (address && text !== address) link.append(addressBeside(link, address));
  if (safe === undefined) {
    const plain = link.ownerDocument.createElement("span");
    plain.className = "no-link";
    plain.append(...link.childNodes);
    link.replaceWith(plain);
    return;
  }
  link.setAttribute("href", safe);
  link.setAttribute("rel", "noopener noreferrer nofollow");
  link.setAttribute("target", "_blank");
}

function addressBeside(link: HTMLAnchorElement, address: string): HTMLElement {
  const beside = link.ownerDocument.createElement("span");
  beside.className = "link-address";
  const short = address.length > 120 ? `${address.slice(0, 120)}…` : address;
  beside.textContent = ` (${short})`;
  beside.title = visible(address.slice(0, 2000));
  return beside;
}

/** Returns the address as a browser would open it, of the schemes that are allowed; undefined for every other. */
function safeAddress(address: string): string | undefined {
  try {
    const url = new URL(address); // relative ones have no base here: they would lead into this very page
    return SCHEMES.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function makeRoomFor(table: HTMLTableElement): void {
  const room = table.ownerDocument.createElement("div");
  room.className = "table-room";
  room.tabIndex = 0;
  table.replaceWith(room);
  room.append(table);
}

function textsOf(fragment: DocumentFragment): Text[] {
  const walker = fragment.ownerDocument.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  return texts;
}

/** A passage may lie across several elements: their marks have its number. */
type Numbered = Passage & { readonly number: number };

function markPassages(fragment: DocumentFragment, quoted: readonly Quoted[]): void {
  if (quoted.length === 0) return;
  const texts = textsOf(fragment);
  const passages = passagesIn(texts.map((one) => one.data).join(""), quoted);
  let next = 0;
  let start = 0;
  for (const text of texts) {
    const end = start + text.data.length;
    const here: Numbered[] = [];
    while (next < passages.length && passages[next]!.from < end) {
      here.push({ ...passages[next]!, number: next });
      if (passages[next]!.to > end) break; // it goes on in the next text
      next += 1;
    }
    if (here.length > 0) text.replaceWith(...markedPieces(text, start, here));
    start = end;
  }
}

function markedPieces(text: Text, start: number, passages: readonly Numbered[]): (Node | string)[] {
  const pieces: (Node | string)[] = [];
  let done = 0;
  for (const { from, to, marks, number } of passages) {
    const [first, last] = [Math.max(0, from - start), Math.min(text.data.length, to - start)];
    if (first > done) pieces.push(text.data.slice(done, first));
    const element = text.ownerDocument.createElement("mark");
    element.dataset.marks = marks.join(" ");
    element.dataset.passage = String(number);
    element.textContent = text.data.slice(first, last);
    if (last > first) pieces.push(element);
    done = Math.max(done, last);
  }
  if (done < text.data.length) pieces.push(text.data.slice(done));
  return pieces;
}

function showHidden(fragment: DocumentFragment): void {
  for (const text of textsOf(fragment)) {
    const pieces = piecesOf(text.data);
    if (!pieces.some(({ hidden }) => hidden)) continue;
    text.replaceWith(...pieces.map((piece) => (piece.hidden ? hiddenMark(text, piece.text) : piece.text)));
  }
}

function hiddenMark(text: Text, name: string): HTMLElement {
  const element = text.ownerDocument.createElement("span");
  element.className = "hidden-character";
  element.textContent = name;
  return element;
}
