// @vitest-environment happy-dom
import { render } from "preact";
import { useState } from "preact/hooks";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FilesView } from "../../src/results/FilesView";

const DOOR = "https://door.example/files/";
const TEXT = new Map([
  [
    "report.md",
    "# Sales\n\n![the chart](charts/a.png) ![far](https://evil.example/a.png) [rows](data/rows.csv)",
  ],
  ["data/rows.csv", "city,sum\nBern,12\nUlm,7\n"],
  ["notes.html", "<script>window.ran = 1</script>"],
  ["blob.bin", "\0\u0001"],
]);
const TYPES: Record<string, string> = {
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  bin: "application/octet-stream",
  png: "image/png",
};
const entry = (path: string) => ({
  path,
  mediaType: TYPES[path.split(".").at(-1)!] ?? "text/plain",
  sizeBytes: String(TEXT.get(path)?.length ?? 10),
  digest: "d".repeat(64),
});

const page = document.createElement("div");
document.body.append(page);
const asked: string[] = [];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("fetch", async (url: string, { headers }: { headers: { Range: string } }) => {
    asked.push(url);
    const whole = TEXT.get(decodeURIComponent(url.slice(DOOR.length))) ?? "";
    const end = Number(headers.Range.split("-")[1]) + 1;
    const span = { "Content-Range": `bytes 0-${Math.min(end, whole.length) - 1}/${whole.length}` };
    return new Response(whole.slice(0, end), { status: 206, headers: span });
  });
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(readonly look: () => void) {}
      observe() {
        this.look();
      }
      disconnect() {}
    },
  );
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 240 });
});
afterEach(() => {
  render(null, page);
  vi.unstubAllGlobals();
});

function Shown({ paths, main }: { paths: readonly string[]; main: string }) {
  const [chosen, choose] = useState<string | undefined>();
  return (
    <FilesView
      of="1"
      list={async () => ({ main, files: paths.map(entry) })}
      address={(path) => DOOR + encodeURIComponent(path)}
      zip={`${DOOR}all.zip`}
      chosen={chosen}
      choose={choose}
    />
  );
}

const rows = () => [...page.querySelectorAll<HTMLElement>(".file-row")];
const row = (path: string) => rows().find(({ textContent }) => textContent?.includes(path))!;
const show = async (paths: readonly string[], main = "report.md") => {
  render(<Shown paths={paths} main={main} />, page);
  await vi.waitFor(() => expect(rows().length).toBeGreaterThan(0));
};
const text = () => page.querySelector(".result")?.textContent ?? "";

it("opens the main file first, with the pictures of the result in it and no others", async () => {
  await show(["charts/a.png", "data/rows.csv", "report.md"]);
  await vi.waitFor(() => expect(page.querySelector(".markdown h3")?.textContent).toBe("Sales"));
  expect(row("report.md").getAttribute("aria-selected")).toBe("true");
  const images = [...page.querySelectorAll<HTMLImageElement>(".markdown img")];
  expect(images.map(({ src }) => src)).toEqual([DOOR + encodeURIComponent("charts/a.png")]);
  expect(page.querySelector<HTMLAnchorElement>("a[href$='all.zip']")).not.toBeNull();
  page.querySelector<HTMLButtonElement>(".file-link")!.click();
  await vi.waitFor(() => expect(text()).toContain("Bern"));
  expect(asked.every((url) => url.startsWith(DOOR))).toBe(true);
});

it("moves through the files by key, and shows each by its kind", async () => {
  await show(["blob.bin", "charts/a.png", "notes.html", "report.md"], "blob.bin");
  const press = (key: string) =>
    page.querySelector(".virtual")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  await vi.waitFor(() => expect(text()).toContain("application/octet-stream"));
  expect(text()).toContain("d".repeat(64));
  press("ArrowDown");
  await vi.waitFor(() =>
    expect(page.querySelector<HTMLImageElement>(".picture-room img")?.src).toContain("a.png"),
  );
  page.querySelector(".picture-room img")!.dispatchEvent(new Event("error"));
  await vi.waitFor(() => expect(text()).toContain("cannot show this picture"));
  press("ArrowDown");
  await vi.waitFor(() => expect(text()).toContain("<script>window.ran = 1</script>"));
  expect(page.querySelector("script")).toBeNull();
  press("End");
  await vi.waitFor(() => expect(page.querySelector(".markdown h3")).not.toBeNull());
});

it("holds 10,000 files, finds one, and shows names that would hide", async () => {
  const many = Array.from({ length: 9_998 }, (_, n) => `logs/${String(n).padStart(5, "0")}.txt`);
  await show(["exe\u202egnp.txt", ...many, "x".repeat(1000)], "logs/09000.txt");
  await vi.waitFor(() => expect(page.querySelector("h3")?.textContent).toBe("logs/09000.txt"));
  expect(rows().length).toBeLessThan(60);
  expect(page.textContent).toContain("10,000 files");
  const search = page.querySelector<HTMLInputElement>("input[type=search]")!;
  const seek = async (part: string, found: string) => {
    search.value = part;
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(row(found)).toBeDefined());
    expect(rows()).toHaveLength(1);
    row(found).click();
  };
  await seek("GNP", "exe⟨U+202E⟩gnp.txt");
  await vi.waitFor(() => expect(page.querySelector(".file-name .hidden-character")).not.toBeNull());
  await seek("xxxx", "xxxx");
  await vi.waitFor(() => expect(page.querySelector(".file-name")?.textContent).toContain("xxx…"));
});

it("says how many rows of a large table are shown", async () => {
  TEXT.set("big.csv", `city,sum\n${"Bern,12\n".repeat(1_100_000)}`);
  await show(["big.csv"], "big.csv");
  const sentence = /The first 131,\d{3} rows are shown: 1\.0 MiB of 8\.4 MiB\./;
  await vi.waitFor(() => expect(text()).toMatch(sentence));
});
