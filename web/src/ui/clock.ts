// One clock for the page: durations that grow all read it, and it ticks only while one does.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const now = signal(Date.now());
let readers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Returns the time, and draws the component again each second while `runs`. */
export function useNow(runs = true): number {
  useEffect(() => (runs ? read() : undefined), [runs]);
  return runs ? now.value : now.peek();
}

function read(): () => void {
  readers += 1;
  now.value = Date.now();
  timer ??= setInterval(() => {
    now.value = Date.now();
  }, 1000);
  return () => {
    readers -= 1;
    if (readers > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
