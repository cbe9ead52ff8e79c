import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { navigate, query, setQuery } from "../../router";
import { Button, stateLabel } from "../../ui";
import { addressOf, type Filters, filtersOf, isFiltered, SPANS, type Span, STATES } from "./filters";
import { s } from "./strings";

const REST = 250; // milliseconds without typing

/** The filters of the list of runs: each is in the address at once. */
export function FilterBar({ filters }: { filters: Filters }) {
  const [isCustom, setCustom] = useState(filters.from !== "" || filters.until !== "");
  const set = (more: Partial<Filters>) => setQuery(addressOf({ ...filtersOf(query.peek()), ...more }));
  const toggle = (state: (typeof STATES)[number]) => {
    const { states } = filters;
    set({ states: states.includes(state) ? states.filter((one) => one !== state) : [...states, state] });
  };
  const spans: readonly (readonly [Span | "", string])[] = [
    ["", s.anyTime()],
    ["hour", s.lastHour()],
    ["day", s.lastDay()],
    ["week", s.lastWeek()],
  ];
  const choose = (value: string) => {
    setCustom(value === "between");
    set({
      span: value in SPANS ? (value as Span) : "",
      ...(value === "between" ? {} : { from: "", until: "" }),
    });
  };
  return (
    <search class="filters stack">
      <div class="row wrap">
        <Typed label={s.search()} value={filters.text} set={(text) => set({ text })} kind="grow run-search" />
        <Typed label={s.plan()} value={filters.plan} set={(plan) => set({ plan })} kind="run-plan" />
        <select
          class="field"
          aria-label={s.created()}
          value={isCustom ? "between" : filters.span}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {spans.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          <option value="between">{s.between()}</option>
        </select>
      </div>
      {isCustom && (
        <div class="row wrap small">
          <label class="row">
            {s.from()}
            <input
              class="field"
              type="datetime-local"
              value={filters.from}
              onChange={(event) => set({ from: event.currentTarget.value })}
            />
          </label>
          <label class="row">
            {s.until()}
            <input
              class="field"
              type="datetime-local"
              value={filters.until}
              onChange={(event) => set({ until: event.currentTarget.value })}
            />
          </label>
        </div>
      )}
      <fieldset class="row wrap states">
        <legend class="visually-hidden">{s.states()}</legend>
        {STATES.map((state) => (
          <Toggle key={state} on={filters.states.includes(state)} press={() => toggle(state)}>
            {stateLabel(`EXECUTION_STATE_${state}`)}
          </Toggle>
        ))}
        <Toggle on={filters.person} press={() => set({ person: !filters.person })}>
          {s.waits()}
        </Toggle>
        {isFiltered(filters) && (
          <Button small kind="quiet" onClick={() => navigate({ page: "runs" })}>
            {s.clear()}
          </Button>
        )}
      </fieldset>
    </search>
  );
}

function Toggle({ on, press, children }: { on: boolean; press: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="toggle" aria-pressed={on} onClick={press}>
      {children}
    </button>
  );
}

/** A field whose text counts once the typing rests. */
function Typed({
  label,
  value,
  set,
  kind,
}: {
  label: string;
  value: string;
  set: (text: string) => void;
  kind: string;
}) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText(value); // the filters were cleared, or a link was followed
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = text;
      set(text);
    }, REST);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      class={`field ${kind}`}
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}
