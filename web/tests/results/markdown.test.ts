// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { type Linked, renderMarkdown } from "../../src/results/markdown";
import HOSTILE from "../fixtures/hostile.json";

const LONE = { name: "lone surrogates", text: "\ud800 a \udc00" };
const TAGS = new Set(
  "H1 H2 H3 H4 H5 H6 P BR HR UL OL LI BLOCKQUOTE PRE CODE EM STRONG S A TABLE THEAD TBODY TR TH TD DIV SPAN MARK".split(
    " ",
  ),
);
const ATTRIBUTES = new Set(
  "href rel target title class start tabindex data-align data-picture data-marks data-passage".split(" "),
);

function rendered(text: string, quotes: readonly string[] = [], linked?: Linked): HTMLElement {
  const box = document.createElement("div");
  box.append(
    renderMarkdown(
      text,
      quotes.length ? [{ mark: 0, quotes }] : [],
      {
        picture: "Picture",
        rest: "The rest",
        broken: "It is broken",
      },
      linked,
    ),
  );
  return box;
}

describe("hostile Markdown", () => {
  it.each([...HOSTILE, LONE])("changes nothing: $name", ({ text }) => {
    const begun = performance.now();
    for (const element of rendered(text).querySelectorAll("*")) {
      expect(TAGS).toContain(element.tagName);
      for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
      const href = element.getAttribute("href");
      if (href !== null) expect(href).toMatch(/^(https?:\/\/|mailto:)/);
    }
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it.each([
    ["links that nest", "[".repeat(20_000)],
    ["emphasis that opens", "*a _b ".repeat(10_000)],
    ["quotes that nest", `${">".repeat(5000)} a`],
    ["lists that nest", Array.from({ length: 500 }, (_, n) => `${"  ".repeat(n)}- a`).join("\n")],
    ["code that never ends", "`".repeat(30_000)],
    ["a line of a million characters", "x".repeat(1_000_000)],
    ["tables without an end", `|${"a|".repeat(3000)}\n|${"-|".repeat(3000)}\n`.repeat(3)],
    ["brackets with addresses", "[a](".repeat(10_000)],
    ["unfinished tags", "<a ".repeat(20_000)],
    ["tables that are completed", `|${"a|".repeat(60)}\n|${"-|".repeat(60)}\n${"|\n".repeat(60_000)}`],
  ])("is rendered in bounded time: %s", { timeout: 60_000 }, (_, text) => {
    const begun = performance.now();
    rendered(text.slice(0, 256 * 1024));
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});

describe("Markdown", () => {
  it("leaves out what is too intricate, and says so", () => {
    const box = rendered(`# A\n\n|${"a|".repeat(60)}\n|${"-|".repeat(60)}\n${"|\n".repeat(5000)}`);
    expect(box.querySelector("h3")?.textContent).toBe("A");
    expect(box.querySelector("table")).toBeNull();
    expect(box.querySelector(".result-note")?.textContent).toBe("The rest");
  });

  it("has headings, lists, tables with their alignment, and code", () => {
    const box = rendered("# A\n\n1. b\n\n| c | d |\n|---|--:|\n| 1 | 2 |\n\n```js\ne()\n```");
    expect(box.querySelector("h3")?.textContent).toBe("A");
    expect(box.querySelector("ol li")?.textContent).toBe("b");
    expect(box.querySelector("td[data-align=right]")?.textContent).toBe("2");
    expect(box.querySelector("pre code")?.textContent).toBe("e()\n");
  });

  it("keeps blocks apart as texts, so that a quote across them is found", () => {
    const box = rendered("# A\n\nb\n\n- c\n  - d\n\n| e | f |\n|---|---|\n| g | h |\n", ["A b c d e f g h"]);
    const marked = [...box.querySelectorAll("mark")].map((one) => one.textContent).join("");
    expect(marked.replace(/\s+/g, " ").trim()).toBe("A b c d e f g h");
  });

  it("begins a list with its number, breaks lines, draws a line across", () => {
    const box = rendered("7. a\n8. b  \nc\n\n---\n\n> ~~d~~ *e*\n\n    f()");
    expect(box.querySelector("ol")?.getAttribute("start")).toBe("7");
    expect(box.querySelectorAll("li, br, hr, blockquote s, blockquote em, pre code")).toHaveLength(7);
  });

  it("has headings below the two levels of the page's own", () => {
    const names = [...rendered("# a\n\n## b\n\n##### c").children].map(({ tagName }) => tagName);
    expect(names).toEqual(["H3", "H4", "H6"]);
  });

  it("shows the address of a link beside its text, and tells the other site nothing", () => {
    const link = rendered("[the paper](https://example.org/a?b=1)").querySelector("a")!;
    expect(link.textContent).toBe("the paper (https://example.org/a?b=1)");
    expect(link.rel).toBe("noopener noreferrer nofollow");
    expect(link.target).toBe("_blank");
  });

  it("knows addresses in angle brackets, by reference and of mailboxes", () => {
    const box = rendered(
      "<https://a.example/ü?b=ö#c> <me@a.example> [d]\n\n[d]: https://münchen.example/%20",
    );
    expect([...box.querySelectorAll("a")].map(({ href }) => href)).toEqual([
      "https://a.example/%C3%BC?b=%C3%B6#c",
      "mailto:me@a.example",
      "https://xn--mnchen-3ya.example/%20",
    ]);
    expect(box.textContent).toContain("https://a.example/ü?b=ö#c");
  });

  it.each([
    "javascript:alert(1)",
    "data:text/html,a",
    "/api/v1/plans",
    "runs",
    "#a",
    "//evil.example/a",
    "vbscript:a",
  ])("makes no link of %s, and shows it", (address) => {
    const box = rendered(`[press](<${address}>)`);
    expect(box.querySelector("a")).toBeNull();
    expect(box.textContent).toContain(address);
  });

  it("shows a picture as a link to it, and fetches nothing", () => {
    const box = rendered("![a cat](https://evil.example/cat.png)");
    expect(box.querySelector("img")).toBeNull();
    expect(box.querySelector("a")?.textContent).toBe("Picture: a cat (https://evil.example/cat.png)");
  });

  it("shows HTML as text", () => {
    expect(rendered("<b onclick=x>a</b>").textContent).toContain("<b onclick=x>a</b>");
  });

  it("makes hidden characters visible", () => {
    const box = rendered("a\u202eb `c\u200bd`");
    expect(box.textContent?.trim()).toBe("a⟨U+202E⟩b c⟨U+200B⟩d");
    expect(box.querySelectorAll(".hidden-character")).toHaveLength(2);
  });

  it("marks what a verdict quotes, across elements", () => {
    const box = rendered("# The Title\n\nIt **scales** with [data](https://a.example); see.\n", [
      "# the title",
      "It scales with data; see",
    ]);
    const passages = new Map<string, string>();
    for (const mark of box.querySelectorAll("mark"))
      passages.set(mark.dataset.passage!, (passages.get(mark.dataset.passage!) ?? "") + mark.textContent);
    expect([...passages.values()]).toEqual(["The Title", "It scales with data; see"]);
  });
});

describe("Markdown of a result with files", () => {
  const opened: string[] = [];
  const linked: Linked = (address) => {
    if (!/^(a|b)\./.test(address)) return undefined;
    const url = address.endsWith(".png") ? `https://door.example/files/${address}` : undefined;
    return { url, open: () => void opened.push(address) };
  };
  const shown = (text: string) => rendered(text, [], linked);

  it("shows the pictures of the result, and those alone", () => {
    const box = shown(
      "![a \u202ecat](a.png) ![other](https://evil.example/a.png) ![none](c.png) ![](x:a.png)",
    );
    const images = [...box.querySelectorAll("img")];
    expect(images.map(({ src, alt }) => [src, alt])).toEqual([
      ["https://door.example/files/a.png", "a ⟨U+202E⟩cat"],
    ]);
    for (const { name } of images[0]!.attributes) expect(["src", "alt", "loading"]).toContain(name);
    expect(box.textContent).toContain("Picture: other (https://evil.example/a.png)");
    expect(box.textContent).toContain("Picture: none (c.png)");
  });

  it("says of a picture that cannot be shown that it cannot", () => {
    const box = shown("![a cat](a.png)");
    box.querySelector("img")!.dispatchEvent(new Event("error"));
    expect(box.querySelector("img")).toBeNull();
    expect(box.textContent?.trim()).toBe("Picture: a cat (It is broken)");
  });

  it("opens another file of the result in the page, also a picture that is too much", () => {
    const box = shown("[the **table**](a.csv) ![](b.csv) [![x](b.csv)](https://a.example)");
    const buttons = [...box.querySelectorAll("button")];
    expect(buttons.map(({ textContent }) => textContent)).toEqual(["the table", "b.csv"]);
    for (const button of buttons) button.click();
    expect(opened).toEqual(["a.csv", "b.csv"]);
    expect(box.querySelectorAll("a button, button a")).toHaveLength(0);
  });

  it("shows a bounded number of pictures", () => {
    const box = shown("![](a.png)\n".repeat(300));
    expect(box.querySelectorAll("img")).toHaveLength(200);
    expect(box.querySelectorAll("button")).toHaveLength(100);
  });

  it.each(HOSTILE)("is as harmless: $name", ({ text }) => {
    const box = shown(text);
    for (const { src } of box.querySelectorAll("img")) expect(src).toMatch(/^https:\/\/door\.example\//);
    expect(box.querySelector("script, iframe, object, style")).toBeNull();
  });
});
