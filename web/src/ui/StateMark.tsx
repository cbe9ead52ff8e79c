import type { State, Status } from "../store/status";
import { COLOURS, LETTERS, PERSON_SHAPE, SHAPES, stateColour, stateLabel, statusLabel } from "./marks";
import "./marks.css";

/** The mark of a task's status: shape, letter and colour; with `label`, its word too. */
export function StateMark({
  status,
  label = false,
  size = 16,
}: {
  status: Status;
  label?: boolean;
  size?: number;
}) {
  const hollow = status <= 1;
  return (
    <span
      class={`mark of-${COLOURS[status]}`}
      {...(label ? {} : { role: "img", "aria-label": statusLabel(status) })}
    >
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <path d={SHAPES[status]} class={hollow ? "hollow" : "solid"} />
        <text x="8" y={status === 6 ? 12.6 : 11.2} class={hollow ? "on-ground" : "on-shape"}>
          {LETTERS[status]}
        </text>
      </svg>
      {label && <span>{statusLabel(status)}</span>}
    </span>
  );
}

/** The mark of a task that waits for a person; without a title it decorates words that say so. */
export function PersonMark({ title, size = 14 }: { title: string; size?: number }) {
  return (
    <span
      class="mark of-person"
      {...(title ? { role: "img", "aria-label": title, title } : { "aria-hidden": true })}
    >
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <path d={PERSON_SHAPE} class="solid" />
      </svg>
    </span>
  );
}

/** An execution's state, as a word on its ground. */
export function StateBadge({ state }: { state: State | undefined }) {
  return <span class={`state-badge of-${stateColour(state)}`}>{stateLabel(state)}</span>;
}
