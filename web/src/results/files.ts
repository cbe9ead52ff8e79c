// The files of a result: their list, and which of them an address in a document means.
import type { FilesJson } from "../api";
import { bareType, type Kind, kindOf } from "./kind";

export type ResultFile = {
  readonly path: string;
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
};
export type ResultFiles = { readonly main: string; readonly files: readonly ResultFile[] };

const MARKS: Readonly<Record<Kind, string>> = {
  markdown: "MD",
  separated: "CSV",
  json: "JSON",
  lines: "JSON",
  picture: "IMG",
  drawing: "SVG",
  code: "</>",
  text: "TXT",
  unknown: "BIN",
};

/** Returns the files as the door tells them. */
export function filesOf({ main = "", files = [] }: FilesJson): ResultFiles {
  return {
    main,
    files: files.map(({ path = "", mediaType = "", sizeBytes, digest = "" }) => ({
      path,
      mediaType,
      size: Number(sizeBytes ?? 0),
      digest,
    })),
  };
}

/** Returns a few letters for the kind of a file. */
export function markOf(mediaType: string): string {
  return bareType(mediaType) === "text/tab-separated-values" ? "TSV" : MARKS[kindOf(mediaType)];
}

/**
 * Returns the file that an address in the document at `from` means: one of the same result, by a path relative to the
 * document. Undefined for every other address, also for one that leads out of the result.
 */
export function fileMeant(
  files: ReadonlyMap<string, ResultFile>,
  from: string,
  address: string,
): ResultFile | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^[/\\]/i.test(address)) return undefined;
  for (const written of [address, address.replace(/[?#].*$/s, "")]) {
    for (const path of [written, decoded(written)]) {
      const found = files.get(pathFrom(from, path));
      if (found) return found;
    }
  }
  return undefined;
}

/** Returns a path relative to a file as one from the top; empty for one that leads out. */
function pathFrom(from: string, path: string): string {
  const names = from.split("/").slice(0, -1);
  for (const name of path.split("/")) {
    if (name === "..") {
      if (names.pop() === undefined) return "";
    } else if (name !== "." && name !== "") names.push(name);
  }
  return names.join("/");
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a percent sign that is one
  }
}
