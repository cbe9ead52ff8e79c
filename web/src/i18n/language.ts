// The page's language: the browser's, until a person chooses another; the choice is kept in this browser.
import { effect, signal } from "@preact/signals";
import { recall, remember } from "../ui/memory";

export type Language = "en" | "zh";
export const LANGUAGES: readonly Language[] = ["en", "zh"];

export const language = signal<Language>(chosen() ?? preferred(browserLanguages()));

/** Returns the first of a browser's languages that the page speaks, else English. */
export function preferred(languages: readonly string[]): Language {
  for (const tag of languages) {
    if (tag.toLowerCase().startsWith("zh")) return "zh";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

export function choose(next: Language): void {
  language.value = next;
  remember("language", next);
}

/** Keeps `lang` of the document right, which screen readers and fonts go by. */
export function tellDocument(): () => void {
  return effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  });
}

function chosen(): Language | undefined {
  return LANGUAGES.find((one) => one === recall("language"));
}

function browserLanguages(): readonly string[] {
  return typeof navigator === "undefined" ? [] : navigator.languages;
}
