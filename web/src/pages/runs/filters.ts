// The filters of the list of runs, as they stand in the address, and as the door is asked.
import type { ExecutionFilter } from "../../api";

export const STATES = [
  "RUNNING",
  "PAUSED",
  "READY",
  "STOPPED",
  "SUCCEEDED",
  "FAILED",
  "QUARANTINED",
] as const;
export type StateName = (typeof STATES)[number];

export const SPANS = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;
export type Span = keyof typeof SPANS;

export type Filters = {
  readonly text: string;
  readonly plan: string;
  readonly states: readonly StateName[];
  readonly span: Span | "";
  /** Local date and time, as a field of the browser has it. */
  readonly from: string;
  readonly until: string;
  readonly person: boolean;
};

/** Reads the filters of an address. What is no filter is left out, so that old links still work. */
export function filtersOf(query: URLSearchParams): Filters {
  const wanted = (query.get("state") ?? "").toUpperCase().split(",");
  const span = query.get("created") ?? "";
  return {
    text: query.get("text") ?? "",
    plan: query.get("plan") ?? "",
    states: STATES.filter((state) => wanted.includes(state)),
    span: span in SPANS ? (span as Span) : "",
    from: dated(query.get("from")),
    until: dated(query.get("until")),
    person: query.get("waits") === "person",
  };
}

/** Returns what stands in the address; undefined for what is not filtered by. */
export function addressOf(filters: Filters): Record<string, string | undefined> {
  return {
    text: filters.text || undefined,
    plan: filters.plan || undefined,
    state: filters.states.join(",").toLowerCase() || undefined,
    created: filters.span || undefined,
    from: filters.from || undefined,
    until: filters.until || undefined,
    waits: filters.person ? "person" : undefined,
  };
}

/** Returns the question to the door, at this time. */
export function questionOf(filters: Filters, now: number): ExecutionFilter {
  const after = filters.span ? now - SPANS[filters.span] : Date.parse(filters.from);
  const before = filters.span ? Number.NaN : Date.parse(filters.until);
  return {
    ...(filters.text.trim() ? { text: filters.text.trim() } : {}),
    ...(filters.plan.trim() ? { planId: filters.plan.trim() } : {}),
    ...(filters.states.length ? { state: filters.states } : {}),
    ...(Number.isNaN(after) ? {} : { createdAfter: new Date(after).toISOString() }),
    ...(Number.isNaN(before) ? {} : { createdBefore: new Date(before).toISOString() }),
    ...(filters.person ? { awaiting: "person" as const } : {}),
  };
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(addressOf(filters)).some((value) => value !== undefined);
}

function dated(text: string | null): string {
  return text && !Number.isNaN(Date.parse(text)) ? text : "";
}
