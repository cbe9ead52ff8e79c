// Short notices at the edge of the page: what a press of a button did, or why it did not.
import { signal } from "@preact/signals";
import { sentenceOf } from "../api/client";
import { words } from "../i18n";
import { Visible } from "./Visible";
import "./toasts.css";

type Toast = { readonly id: number; readonly text: string; readonly kind: "done" | "failed" };

const STAYS = 6000; // a failure stays until it is closed
const toasts = signal<readonly Toast[]>([]);
let next = 1;

export function toast(text: string, kind: Toast["kind"] = "done"): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-4), { id, text, kind }];
  if (kind === "done") setTimeout(() => drop(id), STAYS);
}

/** Tells a person why something did not work, in the sentence that came. */
export function toastError(error: unknown): void {
  toast(sentenceOf(error), "failed");
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function ToastHost() {
  return (
    <section class="toasts" aria-live="polite">
      {toasts.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast ${kind}`} role={kind === "failed" ? "alert" : "status"}>
          <div class="grow">
            <Visible text={text} most={600} />
          </div>
          <button type="button" class="close" aria-label={words.close()} onClick={() => drop(id)}>
            ×
          </button>
        </div>
      ))}
    </section>
  );
}
