// The inputs of a plan as a form holds them, and as a start sends them.
import type { GivenFileJson, GivenInputJson } from "../../gen/signoff/v1/execution_pb";
import type { PlanInputJson } from "../../gen/signoff/v1/plan_pb";

/** By the name of the input: a text as it is typed, or files that are uploaded. */
export type Given = Readonly<Record<string, string | readonly GivenFileJson[]>>;

export const isFiles = ({ kind }: PlanInputJson) =>
  kind === "INPUT_KIND_FILE" || kind === "INPUT_KIND_FOLDER";
export const isJson = ({ kind }: PlanInputJson) => kind === "INPUT_KIND_JSON";

/** Returns the text of an input: as it was typed, else that of the plan; undefined when there is none. */
export function textOf(input: PlanInputJson, given: Given): string | undefined {
  const typed = given[input.name ?? ""];
  return typeof typed === "string" ? typed : (input.text ?? input.json);
}

/** Returns why the text of a JSON input is none; undefined when it is JSON, or is not typed yet. */
export function wrongJson(input: PlanInputJson, given: Given): string | undefined {
  const text = textOf(input, given);
  if (!isJson(input) || !text) return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns the inputs of a start; undefined while one of them is not set, or is wrong. */
export function inputsOf(declared: readonly PlanInputJson[], given: Given): GivenInputJson[] | undefined {
  const found: GivenInputJson[] = [];
  for (const input of declared) {
    const name = input.name ?? "";
    const value = isFiles(input) ? given[name] : textOf(input, given);
    if (!value?.length && (value === undefined || isFiles(input) || isJson(input))) return undefined;
    if (wrongJson(input, given) !== undefined) return undefined;
    if (typeof value !== "string") found.push({ name, files: value as GivenFileJson[] });
    else found.push(isJson(input) ? { name, json: value } : { name, text: value });
  }
  return found;
}

/** Returns the path that a chosen file has in its input: below the chosen folder, or its name. */
export const pathOf = (file: { name: string; webkitRelativePath?: string }) =>
  file.webkitRelativePath?.split("/").slice(1).join("/") || file.name;

/** Returns the flags of the command line that give the same, with the names of files in the place of their paths. */
export function flagsOf(declared: readonly PlanInputJson[], given: Given): string[] {
  return declared.flatMap((input) => {
    const value = given[input.name ?? ""];
    if (value === undefined) return [];
    if (typeof value === "string") return ["--set", `${input.name}=${value}`];
    return ["--input", `${input.name}=${value.length === 1 ? value[0]?.path : "PATH"}`];
  });
}
