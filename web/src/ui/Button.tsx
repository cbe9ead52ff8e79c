import type { ComponentChildren, JSX } from "preact";
import "./button.css";

type Props = {
  kind?: "plain" | "primary" | "danger" | "quiet";
  busy?: boolean;
  small?: boolean;
  children: ComponentChildren;
} & JSX.IntrinsicElements["button"];

export function Button({
  kind = "plain",
  busy = false,
  small = false,
  children,
  class: more,
  ...rest
}: Props) {
  return (
    <button
      type="button"
      {...rest}
      class={`button ${kind} ${small ? "compact" : ""} ${more ?? ""}`}
      aria-busy={busy}
      disabled={rest.disabled || busy}
    >
      {children}
    </button>
  );
}
