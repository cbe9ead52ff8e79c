import type { ComponentChildren } from "preact";

type Props = {
  readonly class: string;
  readonly cells: readonly ComponentChildren[];
  /** The row of the names of the columns. A row of a virtual list has its role from the list. */
  readonly head?: boolean;
};

/** A row of a table whose rows are placed by transforms, which the table of HTML does not take. */
export function Cells({ class: name, cells, head = false }: Props) {
  const role = head ? "columnheader" : "cell";
  return (
    <div class={`${name} ${head ? "head" : ""}`} role={head ? "row" : undefined}>
      {cells.map((cell, n) => (
        <span key={n} role={role} class="ellipsis">
          {cell}
        </span>
      ))}
    </div>
  );
}
