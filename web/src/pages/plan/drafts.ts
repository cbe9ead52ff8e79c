// Plans that were changed and not stored: kept in this tab, so that a reload or a look at another page loses nothing.

const PREFIX = "signoff.draft.";

export function readDraft(plan: string): string | undefined {
  try {
    return sessionStorage.getItem(PREFIX + plan) ?? undefined;
  } catch {
    return undefined; // storage is forbidden: there are no drafts
  }
}

/** Keeps a draft. Returns false when the browser has no room for it: it then lasts as long as the page is open. */
export function keepDraft(plan: string, text: string): boolean {
  try {
    sessionStorage.setItem(PREFIX + plan, text);
    return true;
  } catch {
    dropDraft(plan);
    return false;
  }
}

export function dropDraft(plan: string): void {
  try {
    sessionStorage.removeItem(PREFIX + plan);
  } catch {
    // storage is forbidden: there was none
  }
}

/** Returns the ids of the plans with drafts in this tab. */
export function drafts(): string[] {
  try {
    return Object.keys(sessionStorage)
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => key.slice(PREFIX.length))
      .sort();
  } catch {
    return [];
  }
}
