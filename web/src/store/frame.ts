const WITHOUT_FRAMES = 1000; // a hidden tab has no frames, but its title and its notifications go on

/** Calls back once, before the next frame; in a tab without frames, after a second. */
export function nextFrame(callback: () => void): void {
  let called = false;
  const once = () => {
    if (called) return;
    called = true;
    clearTimeout(timer);
    callback();
  };
  const timer = setTimeout(once, WITHOUT_FRAMES);
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(once);
}
