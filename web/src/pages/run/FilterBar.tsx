import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { STATUSES, type Status } from "../../store";
import { Button, statusLabel, useShortcuts } from "../../ui";
import { isActive } from "./model/filter";
import type { RunState } from "./state";
import { s } from "./strings";

/** The filter that all views share. */
export function FilterBar({ state, children }: { state: RunState; children: ComponentChildren }) {
  const field = useRef<HTMLInputElement>(null);
  const filter = state.filter.value;
  useShortcuts([
    {
      key: "/",
      what: s.keyFilter(),
      run: () => {
        field.current?.focus();
        field.current?.select();
        return true;
      },
    },
  ]);
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Enter") field.current?.blur();
    if (event.key === "Escape") state.narrow({ text: "" });
  };
  return (
    <search class="filter row wrap">
      <input
        ref={field}
        class="field"
        type="search"
        placeholder={s.filter()}
        aria-label={s.filter()}
        value={filter.text}
        onInput={(event) => state.narrow({ text: event.currentTarget.value })}
        onKeyDown={leave}
      />
      <select
        class="field"
        aria-label={s.status()}
        value={String(filter.status)}
        onChange={(event) => state.narrow({ status: Number(event.currentTarget.value) as Status | 0 })}
      >
        <option value="0">{s.everyStatus()}</option>
        {STATUSES.map((status) => (
          <option key={status} value={String(status)}>
            {statusLabel(status)}
          </option>
        ))}
      </select>
      <label class="row check small">
        <input
          type="checkbox"
          checked={filter.failedFirst}
          onChange={(event) => state.narrow({ failedFirst: event.currentTarget.checked })}
        />
        {s.failedFirst()}
      </label>
      {children}
      {isActive(filter) && (
        <>
          <span class="small muted numbers" role="status">
            {s.shown(state.shown.value.length, state.model.ids.length)}
          </span>
          <Button small kind="quiet" onClick={() => state.narrow({ text: "", status: 0, awaiting: false })}>
            {s.clear()}
          </Button>
        </>
      )}
    </search>
  );
}
