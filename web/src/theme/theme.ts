// Dark or light: as the system says, until a person chooses; the choice is kept in this browser.
import { computed, effect, signal } from "@preact/signals";
import { recall, remember } from "../ui/memory";

export type Choice = "system" | "light" | "dark";
const CHOICES: readonly Choice[] = ["system", "light", "dark"];

export const choice = signal<Choice>(CHOICES.find((one) => one === recall("theme")) ?? "system");
const systemIsDark = signal(false);
export const isDark = computed(() =>
  choice.value === "system" ? systemIsDark.value : choice.value === "dark",
);
export const reducesMotion = signal(false);

export function chooseTheme(next: Choice): void {
  choice.value = next;
  remember("theme", next);
}

/** Follows the system's wishes and tells the document, whose style sheets go by `data-theme`. */
export function followSystem(): void {
  follow("(prefers-color-scheme: dark)", systemIsDark);
  follow("(prefers-reduced-motion: reduce)", reducesMotion);
  effect(() => {
    document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
  });
}

function follow(query: string, into: { value: boolean }): void {
  const media = matchMedia(query);
  into.value = media.matches;
  media.addEventListener("change", () => {
    into.value = media.matches;
  });
}
