// What a worker thinks aloud, out of two sources: the last 64 KiB that the runner keeps, and the stream of the moment.

const MOST = 256 * 1024; // characters kept in the drawer
const NEEDLE = 64; // characters by which the seam is found
const GAP = " … ";

/** Joins what is known with a later piece that may repeat its end; a gap stands where the two do not meet. */
export function joined(known: string, live: string): string {
  if (known === "" || live === "") return known || live;
  if (known.endsWith(live)) return known;
  const needle = known.slice(-NEEDLE);
  const seam = live.lastIndexOf(needle);
  if (seam >= 0) return (known + live.slice(seam + needle.length)).slice(-MOST);
  const overlap = overlapOf(known, live);
  if (overlap > 0) return (known + live.slice(overlap)).slice(-MOST);
  if (known.includes(live)) return known;
  return (known + GAP + live).slice(-MOST);
}

/** Returns how many of the first characters of `live` are the last of `known`; 0 when it is too few to tell. */
function overlapOf(known: string, live: string): number {
  for (let length = Math.min(known.length, live.length); length >= 8; length--) {
    if (known.endsWith(live.slice(0, length))) return length;
  }
  return 0;
}
