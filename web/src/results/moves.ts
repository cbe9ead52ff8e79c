// The keys that move through a list.

const PAGE = 8; // rows

/** Returns where a key leads to from the row `current` of a list; undefined for a key that leads nowhere. */
export function movedBy(key: string, current: number, count: number): number | undefined {
  const to: Readonly<Record<string, number>> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    PageDown: current + PAGE,
    PageUp: current - PAGE,
    Home: 0,
    End: count - 1,
  };
  const next = to[key];
  return next === undefined ? undefined : Math.max(0, Math.min(count - 1, next));
}
