// The ways from a tab to the hub: a SharedWorker; else the tab that leads, over BroadcastChannel; else a hub of its own.
import { Hub, type Port } from "./hub";
import type { ToHub, ToTab } from "./messages";

export type Channel = { readonly say: (message: ToHub) => void };

// An entry of the build, beside the page's own: what both need is fetched once, and is in the bundle once.
const WORKER = import.meta.env.DEV ? "src/stream/shared-stream.ts" : "shared-stream.js";

/** Opens the best way that this browser has. `hear` gets what the hub says. */
export function openChannel(hear: (message: ToTab) => void, base = document.baseURI): Channel {
  if (typeof SharedWorker === "function") return overWorker(hear) ?? ownHub(hear, base);
  if (typeof BroadcastChannel === "function" && navigator.locks) return overLeader(hear, base);
  return ownHub(hear, base);
}

function overWorker(hear: (message: ToTab) => void): Channel | undefined {
  try {
    const worker = new SharedWorker(new URL(WORKER, document.baseURI), { type: "module", name: "signoff" });
    worker.port.onmessage = (event: MessageEvent<ToTab>) => hear(event.data);
    worker.port.start();
    return { say: (message) => worker.port.postMessage(message) };
  } catch {
    return undefined; // some private windows have the class and refuse to start one
  }
}

function ownHub(hear: (message: ToTab) => void, base: string): Channel {
  const hub = new Hub(base);
  const port: Port = { post: (message) => queueMicrotask(() => hear(message)) };
  addEventListener("online", () => hub.hurry());
  return { say: (message) => hub.receive(port, message) };
}

type Letter =
  | { readonly to: "hub"; readonly tab: string; readonly message: ToHub }
  | { readonly to: "tab"; readonly tab: string; readonly message: ToTab };

/**
 * One tab holds a lock and has the hub; when it goes, the lock falls to another, and all say again what they watch. Pages
 * of two doors may have one origin, under two paths: each has a lock of its own.
 */
function overLeader(hear: (message: ToTab) => void, base: string): Channel {
  const name = `signoff.stream ${base}`;
  const me = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const air = new BroadcastChannel(name);
  let lead: ((tab: string, message: ToHub) => void) | undefined;
  air.onmessage = ({ data }: MessageEvent<Letter>) => {
    if (data.to === "hub") lead?.(data.tab, data.message);
    else if (data.tab === me || data.tab === "*") hear(data.message);
  };
  void navigator.locks.request(name, () => {
    lead = leadership(base, (tab, message) => {
      // Not at once: what is heard may say something to the hub, which is in the midst of something.
      if (tab === me) queueMicrotask(() => hear(message));
      else air.postMessage({ to: "tab", tab, message });
    });
    air.postMessage({ to: "tab", tab: "*", message: { kind: "again" } });
    hear({ kind: "again" });
    return new Promise(() => {}); // held for as long as the tab lives
  });
  return { say: (message) => (lead ? lead(me, message) : air.postMessage({ to: "hub", tab: me, message })) };
}

function leadership(
  base: string,
  send: (tab: string, message: ToTab) => void,
): (tab: string, message: ToHub) => void {
  const hub = new Hub(base);
  const ports = new Map<string, Port>();
  addEventListener("online", () => hub.hurry());
  return (tab, message) => {
    const port = ports.get(tab) ?? { post: (said: ToTab) => send(tab, said) };
    ports.set(tab, port);
    hub.receive(port, message);
    if (message.kind === "bye") ports.delete(tab);
  };
}
