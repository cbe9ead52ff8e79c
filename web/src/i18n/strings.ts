// Texts in all languages of the page. A text that lacks a language, and a key that does not exist, fail the typecheck.
import { type Language, language } from "./language";

type Text = string | ((...values: never[]) => string);
/** One text: English, then Chinese. Functions take what varies, and must take the same in both. */
type Pair<T extends Text = Text> = readonly [en: T, zh: T];
type Told<P> = P extends readonly [infer T, unknown]
  ? T extends (...values: infer V) => string
    ? (...values: V) => string
    : () => string
  : never;

const PLACE: Record<Language, 0 | 1> = { en: 0, zh: 1 };

/**
 * Returns a function for each text, which tells it in the language of the moment. A component that calls one is drawn
 * again when the language changes.
 */
export function strings<const Table extends Record<string, Pair>>(
  table: Table,
): { readonly [K in keyof Table]: Told<Table[K]> } {
  const told: Record<string, (...values: never[]) => string> = {};
  for (const [key, pair] of Object.entries(table)) {
    told[key] = (...values) => {
      const text = pair[PLACE[language.value]];
      return typeof text === "string" ? text : text(...values);
    };
  }
  return told as { readonly [K in keyof Table]: Told<Table[K]> };
}
