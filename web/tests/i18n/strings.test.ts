import { afterEach, describe, expect, it } from "vitest";
import { language, preferred } from "../../src/i18n/language";
import { strings } from "../../src/i18n/strings";

const s = strings({
  stop: ["Stop", "停止"],
  tasks: [(n: number) => `${n} tasks`, (n: number) => `${n} 个任务`],
});

describe("texts", () => {
  afterEach(() => {
    language.value = "en";
  });

  it("come in the language of the moment", () => {
    expect(s.stop()).toBe("Stop");
    language.value = "zh";
    expect(s.stop()).toBe("停止");
    expect(s.tasks(3)).toBe("3 个任务");
  });

  it("follow the browser's languages, in their order", () => {
    expect(preferred(["fr", "zh-TW", "en"])).toBe("zh");
    expect(preferred(["en-GB", "zh"])).toBe("en");
    expect(preferred(["fr"])).toBe("en");
    expect(preferred([])).toBe("en");
  });

  it("fail the typecheck without a language, or with other values in it", () => {
    // @ts-expect-error: no Chinese
    strings({ only: ["English"] });
    // @ts-expect-error: no such text
    expect(s.missing).toBeUndefined();
    // @ts-expect-error: a number is wanted
    s.tasks("three");
  });
});
