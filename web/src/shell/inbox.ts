// How many tasks wait for a person, of all executions. The Inbox counts in the navigation and in the tab's title.
import { signal } from "@preact/signals";
import { executions } from "../api";

const EVERY = 10_000;

export const inboxCount = signal(0);

export async function countInbox(): Promise<void> {
  const page = await executions.list({ awaiting: "person", pageSize: 100 }).catch(() => undefined); // the banner tells
  if (page)
    inboxCount.value = (page.executions ?? []).reduce((sum, one) => sum + (one.awaitingPerson ?? 0), 0);
}

export function keepCounting(): void {
  void countInbox();
  setInterval(() => document.hidden || void countInbox(), EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || void countInbox());
}
