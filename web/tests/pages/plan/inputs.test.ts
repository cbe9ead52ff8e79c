// Inputs of a plan as a form holds them: what is missing or wrong, what is sent, and the flags that give the same.
import { expect, test } from "vitest";
import type { PlanInputJson } from "../../../src/gen/signoff/v1/plan_pb";
import { flagsOf, inputsOf, pathOf, textOf, wrongJson } from "../../../src/pages/plan/inputs";

const DATA: PlanInputJson = { name: "data", kind: "INPUT_KIND_FILE", path: "data/*.csv" };
const TOPIC: PlanInputJson = { name: "topic", kind: "INPUT_KIND_TEXT" };
const MORE: PlanInputJson = { name: "more", kind: "INPUT_KIND_TEXT", text: "of the plan" };
const OPTIONS: PlanInputJson = { name: "options", kind: "INPUT_KIND_JSON", json: '{"a":1}' };
const FILE = { path: "a.csv", digest: "d", sizeBytes: "3", mediaType: "text/csv" };

test("a plan without inputs needs none", () => {
  expect(inputsOf([], {})).toEqual([]);
});

test("what the plan has counts until something else is typed", () => {
  expect(inputsOf([MORE, OPTIONS], {})).toEqual([
    { name: "more", text: "of the plan" },
    { name: "options", json: '{"a":1}' },
  ]);
  expect(textOf(MORE, { more: "" })).toBe("");
  expect(inputsOf([MORE], { more: "" })).toEqual([{ name: "more", text: "" }]);
});

test("a start waits for all that is not set", () => {
  expect(inputsOf([TOPIC], {})).toBeUndefined();
  expect(inputsOf([DATA], {})).toBeUndefined();
  expect(inputsOf([DATA], { data: [] })).toBeUndefined();
  expect(inputsOf([OPTIONS], { options: "" })).toBeUndefined();
  expect(inputsOf([TOPIC, DATA], { topic: "mars", data: [FILE] })).toEqual([
    { name: "topic", text: "mars" },
    { name: "data", files: [FILE] },
  ]);
});

test("JSON that is none is told, and is not sent", () => {
  expect(wrongJson(OPTIONS, { options: "{" })).toMatch(/JSON/);
  expect(wrongJson(OPTIONS, { options: "[1]" })).toBeUndefined();
  expect(wrongJson(TOPIC, { topic: "{" })).toBeUndefined();
  expect(inputsOf([OPTIONS], { options: "{" })).toBeUndefined();
});

test("a file of a chosen folder has its path below the folder", () => {
  expect(pathOf({ name: "b.csv", webkitRelativePath: "scans/2026/b.csv" })).toBe("2026/b.csv");
  expect(pathOf({ name: "b.csv", webkitRelativePath: "" })).toBe("b.csv");
});

test("the command line gives the same", () => {
  expect(flagsOf([TOPIC, DATA, MORE], { topic: "a b", data: [FILE] })).toEqual([
    "--set",
    "topic=a b",
    "--input",
    "data=a.csv",
  ]);
});
