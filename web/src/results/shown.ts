// What there is to show of a content: the views that it has, and what they need.
import type { Content } from "./content";
import { type Grid, gridOfFields, gridOfJson } from "./grid";
import { bareType, isDrawing, type Kind, kindOf, type View } from "./kind";
import type { Places } from "./places";
import { separated, separatorIn } from "./separated";
import type { Json } from "./tree";

/** A result of the verdict whose evidence is sought; `turn` rises with each press, and leads from passage to passage. */
export type Focus = { readonly mark: number; readonly turn: number };

/** Returns the place to lead to, of those that are evidence for the result. */
export function soughtOf<K>(places: Places<K> | undefined, focus: Focus | undefined) {
  const fitting = focus ? (places?.order.filter(({ marks }) => marks.includes(focus.mark)) ?? []) : [];
  return focus && fitting[focus.turn % fitting.length];
}

export type Shown = {
  readonly views: readonly View[];
  readonly grid?: Grid | undefined;
  readonly value?: Json | undefined;
  /** Why there is no tree although the content is to be JSON. */
  readonly fault?: string;
  /** It is larger than what a table or a tree is made of. */
  readonly isTooLarge?: boolean;
};

const SOURCE: Shown = { views: ["source"] };

export function shownOf(content: Content, mediaType: string | undefined): Shown {
  if (!content.isText) return { views: [] };
  const kind = kindOf(mediaType);
  const isWhole = content.shown >= content.total;
  if (kind === "markdown") return { views: ["markdown", "source"] };
  if (kind === "separated") return withGrid(content.text, mediaType ?? "", isWhole);
  if (kind === "drawing" || (isXml(mediaType) && isDrawing(content.text)))
    return isWhole ? { views: ["picture", "source"] } : { ...SOURCE, isTooLarge: true };
  if (kind !== "json" && kind !== "lines") return SOURCE;
  return isWhole ? withValue(content.text, kind) : { ...SOURCE, isTooLarge: true };
}

/** A plan that asks for SVG gets it as XML. */
function isXml(mediaType: string | undefined): boolean {
  return /(\/|\+)xml$/.test(bareType(mediaType));
}

/** The rows of the first part of a large table are a table as well, apart from the last one, which may be cut. */
function withGrid(text: string, mediaType: string, isWhole: boolean): Shown {
  const rows = separated(text, mediaType);
  const grid = gridOfFields(isWhole ? rows : rows.slice(0, -1), separatorIn(text, mediaType));
  return grid.columns.length > 1 && grid.columns.length <= 200
    ? { views: ["table", "source"], grid }
    : SOURCE;
}

function withValue(text: string, kind: Kind): Shown {
  try {
    const value = kind === "lines" ? parsedLines(text) : (JSON.parse(text) as Json);
    const grid = gridOfJson(value);
    return { views: grid ? ["table", "tree", "source"] : ["tree", "source"], grid, value };
  } catch (error) {
    return { ...SOURCE, fault: error instanceof Error ? error.message : String(error) };
  }
}

function parsedLines(text: string): Json {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line) as Json);
}
