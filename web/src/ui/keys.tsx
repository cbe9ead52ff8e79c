// Keys of the page. A component says which it answers while it is there; `?` shows all of them.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { strings } from "../i18n";
import { Modal } from "./dialogs";
import "./keys.css";

const s = strings({
  title: ["Keys", "键盘快捷键"],
  help: ["this help", "显示此帮助"],
});

export type Shortcut = {
  /** As `KeyboardEvent.key` has it, such as "/", "Enter", "ArrowDown". */
  readonly key: string;
  readonly what: string;
  /** Returns false when the key is not for it at the moment. */
  readonly run: (event: KeyboardEvent) => boolean | undefined;
  /** Also while a person writes in a field. */
  readonly inFields?: boolean;
};

const sets = signal<readonly { current: readonly Shortcut[] }[]>([]);
const helping = signal(false);

/** Answers these keys while the component is there; the component that came last goes first. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const held = useRef(shortcuts);
  held.current = shortcuts;
  useEffect(() => {
    sets.value = [held, ...sets.peek()];
    return () => {
      sets.value = sets.peek().filter((one) => one !== held);
    };
  }, []);
}

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      document.querySelector("dialog[open]")
    )
      return;
    const isWriting =
      event.target instanceof HTMLElement &&
      event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "?" && !isWriting) {
      helping.value = true;
      event.preventDefault();
      return;
    }
    for (const { current } of sets.peek()) {
      for (const one of current) {
        if (one.key !== event.key || (isWriting && !one.inFields)) continue;
        if (one.run(event) === false) continue;
        event.preventDefault();
        return;
      }
    }
  });
}

export function showKeys(): void {
  helping.value = true;
}

const NAMES: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  " ": "Space",
};

export function KeyHelp() {
  if (!helping.value) return null;
  const all = sets.value.flatMap(({ current }) => current);
  const byText = new Map<string, string[]>();
  for (const one of all)
    byText.set(one.what, [...new Set([...(byText.get(one.what) ?? []), NAMES[one.key] ?? one.key])]);
  byText.set(s.help(), ["?"]);
  return (
    <Modal title={s.title()} close={() => (helping.value = false)}>
      <dl class="keys">
        {[...byText].map(([what, keys]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
