// The colours of the theme for the canvas, which cannot read variables of CSS by itself.

import type { Status } from "../../../store";
import { COLOURS } from "../../../ui";

export type Palette = {
  readonly bg: string;
  readonly surface: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly person: string;
  readonly personSoft: string;
  readonly font: string;
  readonly status: readonly string[];
  readonly soft: readonly string[];
};

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const each = (suffix: string) =>
    ([0, 1, 2, 3, 4, 5, 6] as Status[]).map((status) => of(COLOURS[status] + suffix));
  return {
    bg: of("bg"),
    surface: of("surface"),
    line: of("line"),
    lineStrong: of("line-strong"),
    text: of("text"),
    muted: of("muted"),
    accent: of("accent"),
    person: of("person"),
    personSoft: of("person-soft"),
    font: style.fontFamily,
    status: each(""),
    soft: each("-soft"),
  };
}
