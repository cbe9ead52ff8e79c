import { useRef } from "preact/hooks";
import "./tabs.css";

type Tab<K extends string> = { readonly key: K; readonly label: string };
type Props<K extends string> = {
  tabs: readonly Tab<K>[];
  current: K;
  choose: (key: K) => void;
  label: string;
  panel: string;
};

/** Tabs, with the keys that people expect of them. `panel` is the id of the element that they change. */
export function Tabs<K extends string>({ tabs, current, choose, label, panel }: Props<K>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = tabs.findIndex((tab) => tab.key === current);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    choose(next.key);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.key}"]`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          role="tab"
          data-tab={tab.key}
          aria-selected={tab.key === current}
          aria-controls={panel}
          tabIndex={tab.key === current ? 0 : -1}
          onClick={() => choose(tab.key)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
