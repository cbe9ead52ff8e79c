import { describe, expect, it } from "vitest";
import { addressOf, filtersOf, isFiltered, questionOf } from "../../../src/pages/runs/filters";

const of = (query: string) => filtersOf(new URLSearchParams(query));
const back = (query: string) =>
  new URLSearchParams(
    Object.entries(addressOf(of(query))).flatMap(([key, value]) => (value ? [[key, value]] : [])),
  ).toString();

describe("the filters of the list of runs", () => {
  it.each([
    "",
    "text=notes&plan=release_notes&state=running%2Cfailed&created=day&waits=person",
    "from=2026-11-28T09%3A30&until=2026-11-29T00%3A00",
  ])("are the same in the address: %s", (query) => expect(back(query)).toBe(query));

  it("leave out what is none", () => {
    expect(back("state=flying,paused&created=century&from=yesterday&waits=rain")).toBe("state=paused");
    expect(isFiltered(of("state=flying"))).toBe(false);
    expect(isFiltered(of("state=paused"))).toBe(true);
  });

  it("ask the door as it is asked", () => {
    const now = Date.parse("2026-11-29T12:00:00Z");
    expect(questionOf(of("text= notes &state=running&created=hour&waits=person"), now)).toEqual({
      text: "notes",
      state: ["RUNNING"],
      createdAfter: "2026-11-29T11:00:00.000Z",
      awaiting: "person",
    });
    const local = new Date("2026-11-28T09:30").toISOString();
    expect(questionOf(of("from=2026-11-28T09:30"), now)).toEqual({ createdAfter: local });
    expect(questionOf(of(""), now)).toEqual({});
  });
});
