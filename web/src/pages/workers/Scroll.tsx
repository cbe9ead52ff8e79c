import type { ComponentChildren } from "preact";

/** A card that scrolls sideways when its table is wider, also by the arrow keys. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the arrow keys do that
    <section class="card scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
