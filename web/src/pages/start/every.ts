import { useEffect, useRef } from "preact/hooks";

/** Does something again and again, while the component is there and its tab is looked at. */
export function useEvery(milliseconds: number, work: () => void): void {
  const held = useRef(work);
  held.current = work;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || held.current(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
