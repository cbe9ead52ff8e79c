// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { indented, newLine } from "../../../src/pages/plan/typing";

/** Returns a text field; "[" and "]" stand where its selection begins and ends. */
function area(text: string): HTMLTextAreaElement {
  const element = document.createElement("textarea");
  document.body.append(element);
  element.value = text.replaceAll(/[[\]]/g, "");
  element.setSelectionRange(text.indexOf("["), text.indexOf("]") - 1);
  return element;
}

describe("typing in the editor", () => {
  it("puts two spaces at the cursor", () => {
    const element = area('{[]"a": 1}');
    indented(element, false);
    expect(element.value).toBe('{  "a": 1}');
  });

  it("indents all lines of a selection but the empty ones, and takes it back", () => {
    const element = area("a\n[b\n\n c]\nd");
    indented(element, false);
    expect(element.value).toBe("a\n  b\n\n   c\nd");
    indented(element, true);
    expect(element.value).toBe("a\nb\n\n c\nd");
  });

  it("takes back one step of the cursor's line", () => {
    const element = area("a\n   b[]\nc");
    indented(element, true);
    expect(element.value).toBe("a\n b\nc");
  });

  it("begins a line as deep as the one before, and deeper behind a bracket", () => {
    const element = area('  "a": 1,[]');
    newLine(element);
    expect(element.value).toBe('  "a": 1,\n  ');
    const behind = document.createElement("textarea");
    behind.value = '  "a": {';
    behind.setSelectionRange(8, 8);
    newLine(behind);
    expect(behind.value).toBe('  "a": {\n    ');
  });
});
