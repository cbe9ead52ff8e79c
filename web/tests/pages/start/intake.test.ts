import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXAMPLES } from "../../../src/pages/start/examples";
import { looksLikePlan, readFile } from "../../../src/pages/start/intake";

describe("a plan that a person brings", () => {
  it("is a file: its text, and an id from its name", async () => {
    const file = new File(['{"tasks": []}'], "My plan.json");
    expect(await readFile(file)).toEqual({ id: "My-plan", text: '{"tasks": []}' });
  });

  it("comes without a byte order mark", async () => {
    expect((await readFile(new File(["\ufeff{}"], "a.json"))).text).toBe("{}");
  });

  it("is refused with a sentence when it is no text, or far too large", async () => {
    const binary = new File([new Uint8Array([0xff, 0xfe, 0])], "a.bin");
    await expect(readFile(binary)).rejects.toThrow(
      "expected a plan.json in UTF-8, but a.bin is something else",
    );
    const large = { name: "big.json", size: 2 ** 30 } as File;
    await expect(readFile(large)).rejects.toThrow(
      "at most 64.0 MiB in this page, but big.json has 1024.0 MiB",
    );
  });

  it("is pasted when it looks like one", () => {
    expect(looksLikePlan(' \n{"tasks": []}')).toBe(true);
    expect(looksLikePlan("a sentence")).toBe(false);
  });

  it.each(Object.keys(EXAMPLES))("is an example: the built page has %s as the repository has it", (name) => {
    const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
    expect(read(`signoff/web/static/${name}.json`)).toBe(read(`examples/${name}/plan.json`));
  });
});
