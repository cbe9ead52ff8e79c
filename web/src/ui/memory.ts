// What this browser remembers of a person's choices. A browser that keeps nothing is asked again each time.

const PREFIX = "signoff.";

export function recall(key: string): string | undefined {
  try {
    return globalThis.localStorage?.getItem(PREFIX + key) ?? undefined;
  } catch {
    return undefined; // storage is forbidden: the choice lasts as long as the page
  }
}

export function remember(key: string, value: string): void {
  try {
    globalThis.localStorage?.setItem(PREFIX + key, value);
  } catch {
    // storage is forbidden or full: the choice lasts as long as the page
  }
}
