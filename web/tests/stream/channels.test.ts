import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openChannel } from "../../src/stream/channels";
import type { ToTab } from "../../src/stream/messages";

/** The locks and the channels of a browser without SharedWorker. */
const locks = new Map<string, (() => unknown)[]>();
const streams: string[] = [];

class Air {
  static all: Air[] = [];
  onmessage: ((event: { data: unknown }) => void) | undefined;
  constructor(readonly name: string) {
    Air.all.push(this);
  }
  postMessage(data: unknown): void {
    for (const other of Air.all)
      if (other !== this && other.name === this.name) queueMicrotask(() => other.onmessage?.({ data }));
  }
}

beforeEach(() => {
  locks.clear();
  Air.all = [];
  streams.length = 0;
  vi.stubGlobal("BroadcastChannel", Air);
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("fetch", (url: string) => {
    streams.push(url);
    return new Promise(() => {});
  });
  vi.stubGlobal("navigator", {
    locks: {
      request: (name: string, granted: () => unknown) => {
        const queue = locks.get(name) ?? [];
        locks.set(name, [...queue, granted]);
        if (queue.length === 0) granted();
        return new Promise(() => {});
      },
    },
  });
});
afterEach(() => vi.unstubAllGlobals());

/** A tab that watches an execution, and says so again when it is asked to. */
function tab(base: string, execution: string): ToTab[] {
  const heard: ToTab[] = [];
  const say = () => channel?.say({ kind: "watch", execution, thinking: false });
  const channel: ReturnType<typeof openChannel> | undefined = openChannel((message) => {
    heard.push(message);
    if (message.kind === "again") queueMicrotask(say);
  }, base);
  say();
  return heard;
}

const settled = () => vi.waitFor(() => expect(streams.length).toBeGreaterThan(0));

it("lets the tabs of a door share one stream, in the tab that came first", async () => {
  const [first, second] = [tab("http://a/", "x"), tab("http://a/", "y")];
  await settled();
  await vi.waitFor(() =>
    expect(new URL(streams.at(-1)!).searchParams.getAll("execution")).toEqual(["x", "y"]),
  );
  for (const heard of [first, second])
    await vi.waitFor(() => expect(heard.some(({ kind }) => kind === "connection")).toBe(true));
  expect([...locks.values()].map((queue) => queue.length)).toEqual([2]);
});

it("keeps the tabs of two doors under one origin apart", async () => {
  tab("http://a/one/", "x");
  tab("http://a/two/", "y");
  await vi.waitFor(() => expect(streams).toHaveLength(2));
  expect(streams.map((url) => url.replace(/\?.*/, ""))).toEqual([
    "http://a/one/api/v1/events",
    "http://a/two/api/v1/events",
  ]);
  expect(locks.size).toBe(2);
});

it("tells a tab nothing while it speaks, also when that tab has the stream", async () => {
  let isSpeaking = false;
  const wrong: ToTab[] = [];
  const channel = openChannel((message) => {
    if (isSpeaking) wrong.push(message);
  }, "http://a/");
  isSpeaking = true;
  channel.say({ kind: "watch", execution: "x", thinking: false });
  isSpeaking = false;
  await settled();
  expect(wrong).toEqual([]);
});
