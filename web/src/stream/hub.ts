// The hub: one event stream for all tabs of a browser. It runs in a SharedWorker, else in the tab that leads.
//
// It folds what it hears, so that a tab that joins gets the state of the moment from here and not from the server.
import type { EventJson, ExecutionJson, TaskStateJson } from "../gen/signoff/v1/execution_pb";
import { ExecutionFold } from "../store/fold";
import type { Connection, ToHub, ToTab } from "./messages";
import { Source, type SourceEnd } from "./source";
import type { Message } from "./sse";

const FORGET_AFTER = 300_000; // a tab in the background may wake its timers once a minute only

export type Port = { readonly post: (message: ToTab) => void };
type Tab = { watches: Map<string, boolean>; heard: number };
type Watched = { fold: ExecutionFold | undefined; parts: TaskStateJson[] };

export class Hub {
  private readonly tabs = new Map<Port, Tab>();
  private readonly watched = new Map<string, Watched>();
  private source: Source | undefined;
  private lastId = "";
  private cursorOf = ""; // the executions that `lastId` is about
  private asked = ""; // the executions and the thinking that the open stream was asked for
  private connection: Connection = { kind: "idle" };
  private heardAt = 0;

  constructor(
    private readonly base: string,
    private readonly now: () => number = Date.now,
  ) {}

  receive(port: Port, message: ToHub): void {
    if (message.kind === "bye") this.forget(port);
    else if (message.kind === "watch") this.watch(port, message.execution, message.thinking);
    else if (message.kind === "leave") this.tabs.get(port)?.watches.delete(message.execution);
    else if (!this.tabs.has(port)) port.post({ kind: "again" });
    const tab = this.tabs.get(port);
    if (tab) tab.heard = this.now();
    this.forgetSilent();
    this.align();
  }

  /** Connects again at once. */
  hurry(): void {
    this.source?.hurry();
  }

  private watch(port: Port, id: string, thinking: boolean): void {
    const tab = this.tabs.get(port) ?? { watches: new Map<string, boolean>(), heard: this.now() };
    this.tabs.set(port, tab);
    tab.watches.set(id, thinking);
    port.post({ kind: "connection", connection: this.connection });
    const fold = this.watched.get(id)?.fold;
    if (fold) port.post({ kind: "snapshot", id, snapshot: fold.snapshot() });
  }

  private forget(port: Port): void {
    this.tabs.delete(port);
  }

  private forgetSilent(): void {
    for (const [port, tab] of this.tabs) if (this.now() - tab.heard > FORGET_AFTER) this.forget(port);
  }

  /** Makes the stream be about what the tabs watch. */
  private align(): void {
    const wanted = new Set([...this.tabs.values()].flatMap((tab) => [...tab.watches.keys()]));
    for (const id of wanted) if (!this.watched.has(id)) this.watched.set(id, { fold: undefined, parts: [] });
    for (const id of this.watched.keys()) if (!wanted.has(id)) this.watched.delete(id);
    const asked = JSON.stringify([[...wanted].sort(), this.wantsThinking()]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.open();
  }

  private wantsThinking(): boolean {
    return [...this.tabs.values()].some((tab) => [...tab.watches.values()].includes(true));
  }

  private open(): void {
    this.source?.close();
    this.source = undefined;
    const about = [...this.watched.keys()].sort().join(" ");
    // A cursor is about the executions that it was made for: with others, the stream begins with snapshots again.
    if (about !== this.cursorOf) this.lastId = "";
    this.cursorOf = about;
    this.tell(this.watched.size === 0 ? { kind: "idle" } : { kind: "connecting", asOf: this.heardAt });
    if (this.watched.size === 0) return;
    this.source = new Source(() => ({ url: this.address(), lastId: this.lastId }), {
      opened: () => this.tell({ kind: "live", asOf: this.hear() }),
      heard: () => void this.hear(),
      message: (message) => this.take(message),
      lost: (end) => this.lose(end),
    });
  }

  private address(): string {
    const url = new URL("api/v1/events", this.base);
    for (const id of [...this.watched.keys()].sort()) url.searchParams.append("execution", id);
    if (this.wantsThinking()) url.searchParams.set("thinking", "1");
    return url.href;
  }

  private hear(): number {
    this.heardAt = this.now();
    return this.heardAt;
  }

  private tell(connection: Connection): void {
    this.connection = connection;
    for (const port of this.tabs.keys()) port.post({ kind: "connection", connection });
  }

  private lose(end: SourceEnd): boolean {
    if (end.status === 404) return this.refuse(end);
    this.tell({ kind: "lost", asOf: this.heardAt, sentence: end.sentence });
    return true;
  }

  /** One of the executions does not exist. The tabs that watch it are told, and the stream goes on without it. */
  private refuse(end: SourceEnd): boolean {
    const known = [...this.watched].filter(([, watched]) => watched.fold !== undefined).map(([id]) => id);
    const named = [...this.watched.keys()].filter((id) => Object.values(end.metadata ?? {}).includes(id));
    const gone = named.length ? named : [...this.watched.keys()].filter((id) => !known.includes(id));
    for (const id of gone.length ? gone : [...this.watched.keys()]) this.forgo(id, end.sentence);
    this.align();
    return false;
  }

  /** Tells who watches an execution why it cannot be watched, and watches it no more. */
  private forgo(id: string, sentence: string): void {
    this.toWatchers(id, { kind: "refused", id, sentence });
    for (const tab of this.tabs.values()) tab.watches.delete(id);
  }

  private take(message: Message): void {
    if (message.id) this.lastId = message.id;
    const data = JSON.parse(message.data);
    if (message.event === "events") this.events(data.executionId, data.events ?? []);
    else if (message.event === "snapshot")
      this.snapshot(data.execution ?? {}, data.tasks ?? [], data.last === true);
    else if (message.event === "thinking") {
      this.toWatchers(data.executionId, {
        kind: "thinking",
        id: data.executionId,
        thinking: data.thinking ?? [],
      });
    } else if (message.event === "ended")
      this.toWatchers(data.executionId, { kind: "ended", id: data.executionId });
    else if (message.event === "problem") this.refuseOne(data.executionId, data.detail ?? "");
    else if (message.event === "away") this.away(data);
    else if (message.event === "back") this.tell({ kind: "live", asOf: this.hear() });
  }

  private away(data: { detail?: string; asOf?: string | number }): void {
    const asOf = typeof data.asOf === "number" ? data.asOf * 1000 : Date.parse(data.asOf ?? "");
    this.tell({
      kind: "away",
      asOf: Number.isFinite(asOf) ? asOf : this.heardAt,
      sentence: data.detail ?? "",
    });
  }

  private refuseOne(id: string, sentence: string): void {
    this.forgo(id, sentence);
    this.align();
  }

  private snapshot(execution: ExecutionJson, tasks: TaskStateJson[], last: boolean): void {
    const id = execution.executionId ?? "";
    const watched = this.watched.get(id);
    if (!watched) return;
    watched.parts.push(...tasks);
    if (!last) return;
    watched.fold = new ExecutionFold();
    watched.fold.begin({ execution, tasks: watched.parts });
    watched.parts = [];
    this.toWatchers(id, { kind: "snapshot", id, snapshot: watched.fold.snapshot() });
  }

  private events(id: string, events: EventJson[]): void {
    const fold = this.watched.get(id)?.fold;
    if (!fold) return;
    for (const event of events) fold.take(event);
    this.toWatchers(id, { kind: "events", id, events });
  }

  private toWatchers(id: string, message: ToTab): void {
    for (const [port, tab] of this.tabs) if (tab.watches.has(id)) port.post(message);
  }
}
