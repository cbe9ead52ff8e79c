// The tokens of a Markdown document as elements. No HTML is written and read again: an element is of the kinds below or is
// not made, it has the attributes that are set here and no others, and all else is text.
import type { Token } from "markdown-it";

const TAGS = new Set(
  ["p br hr ul ol li blockquote pre code em strong s a", "table thead tbody tr th td"].flatMap((tags) =>
    tags.split(" "),
  ),
);
const HEADINGS_BELOW = 2; // the page has the first two levels of headings: those of a result stand below them

type Parent = Element | DocumentFragment;

/** Returns the tokens as a fragment of the document. */
export function built(tokens: readonly Token[], document: Document): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fill(fragment, tokens, document);
  return fragment;
}

function fill(parent: Parent, tokens: readonly Token[], document: Document): void {
  const open: Parent[] = [parent];
  for (const token of tokens) {
    const within = open.at(-1)!;
    if (isBlock(token) && within.lastChild) within.append("\n"); // blocks are apart as texts, too
    if (token.type === "inline") fill(within, token.children ?? [], document);
    else if (token.nesting > 0) open.push(opened(token, within, document));
    else if (token.nesting === 0) within.append(...single(token, document));
    else open.pop();
  }
}

function isBlock({ block, type, nesting }: Token): boolean {
  return block && type !== "inline" && nesting >= 0;
}

/** Returns where the content of the token goes: an element in `within`, or that itself when it gets none. */
function opened(token: Token, within: Parent, document: Document): Parent {
  const tag = tagOf(token);
  if (token.hidden || tag === undefined) return within;
  const element = document.createElement(tag);
  const align = /(left|right|center)/.exec(attribute(token, "style"))?.[1];
  if (align) element.dataset.align = align;
  if (tag === "a") element.setAttribute("href", attribute(token, "href"));
  if (tag === "ol") element.setAttribute("start", String(Number(attribute(token, "start") || 1)));
  within.append(element);
  return element;
}

function tagOf({ tag }: Token): string | undefined {
  const level = /^h([1-6])$/.exec(tag)?.[1];
  if (level) return `h${Math.min(6, Number(level) + HEADINGS_BELOW)}`;
  return TAGS.has(tag) ? tag : undefined;
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}

function single(token: Token, document: Document): (Node | string)[] {
  switch (token.type) {
    case "fence":
    case "code_block":
      return [element(document, "pre", element(document, "code", token.content))];
    case "code_inline":
      return [element(document, "code", token.content)];
    case "hardbreak":
      return [document.createElement("br"), "\n"];
    case "softbreak":
      return ["\n"];
    case "hr":
      return [document.createElement("hr")];
    case "image":
      return [pictureLink(token, document)];
    default:
      return [token.content];
  }
}

function element(document: Document, tag: string, content: Node | string): HTMLElement {
  const made = document.createElement(tag);
  made.append(content);
  return made;
}

/** A picture becomes a link to it: nothing is fetched that a result names. */
function pictureLink(token: Token, document: Document): HTMLElement {
  const link = element(document, "a", token.content);
  link.dataset.picture = "1";
  link.setAttribute("href", attribute(token, "src"));
  return link;
}
