// Notices on the desktop when a person is asked. They begin with a press in the Inbox, and are remembered in this browser.
import { signal } from "@preact/signals";
import { isAborted } from "../../api";
import { navigate } from "../../router";
import { countInbox } from "../../shell/inbox";
import { recall, remember } from "../../ui/memory";
import { visible } from "../../ui/visible";
import { s } from "./strings";
import { askAwaiting, type Item, keyOf } from "./waiting";

export type Notices = "off" | "on" | "denied" | "none";

const EVERY = 10_000;
const MOST_KNOWN = 500; // askings that are remembered as told
const KNOWN = "notified";

export const notices = signal<Notices>(current());
let timer: ReturnType<typeof setInterval> | undefined;

function current(): Notices {
  if (typeof Notification === "undefined") return "none";
  if (Notification.permission === "denied") return "denied";
  return recall("notify") === "on" && Notification.permission === "granted" ? "on" : "off";
}

/** Asks the browser for leave, by a person's press alone. */
export async function switchOn(): Promise<void> {
  if (typeof Notification === "undefined") return;
  const permission = await Notification.requestPermission();
  if (permission === "granted") remember("notify", "on");
  notices.value = current();
  if (notices.value === "on") await begin(true);
}

export function switchOff(): void {
  remember("notify", "off");
  clearInterval(timer);
  timer = undefined;
  notices.value = current();
}

/** Looks again and again, hidden or not. `quietly`: what waits by now is no news. */
export async function begin(quietly = false): Promise<void> {
  if (current() !== "on" || timer !== undefined) return;
  timer = setInterval(() => void look(false), EVERY);
  await look(quietly);
}

async function look(quietly: boolean): Promise<void> {
  if (document.hidden) void countInbox(); // the tab's title counts on, which the shell leaves to us
  try {
    const items = await askAwaiting();
    for (const item of unknown(items)) if (!quietly) tell(item);
  } catch (error) {
    if (isAborted(error)) return;
    console.warn(`no notices for now: ${String(error)}`); // the banner tells of a lost connection; the next round asks again
  }
}

/** Returns what no tab of this browser has told yet, and remembers it as told. */
export function unknown(items: readonly Item[]): Item[] {
  const known = new Set((recall(KNOWN) ?? "").split("\n").filter(Boolean));
  const fresh = items.filter((item) => !known.has(keyOf(item)));
  if (fresh.length > 0) remember(KNOWN, [...known, ...fresh.map(keyOf)].slice(-MOST_KNOWN).join("\n"));
  return fresh;
}

function tell({ execution, task }: Item): void {
  const id = task.taskId ?? "";
  const body = visible(`${execution.idea || execution.planId || ""}`).slice(0, 200);
  const notice = new Notification(s.asked(id), { body, tag: keyOf({ execution, task }) });
  notice.onclick = () => {
    window.focus();
    notice.close();
    navigate({ page: "run", execution: execution.executionId ?? "", task: id });
  };
}
