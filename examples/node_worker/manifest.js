// The manifest of a result with several files, in the one form that it has: docs/reference/files.md.

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { matches } from "./patterns.js";

export const MANIFEST_TYPE = "application/vnd.signoff.files+json";

const UNPRINTABLE = /[\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const MEDIA_TYPES = JSON.parse(readFileSync(new URL("media_types.json", import.meta.url)));

export const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/**
 * The candidate that some files are, each with its path and content: those that a pattern matches, and their manifest.
 * Throws for files that cannot be a candidate.
 */
export function candidateOf(made, patterns) {
  const files = made
    .filter(({ path }) => patterns.some((pattern) => matches(path, pattern)))
    .map(entryOf)
    .sort(byCodePoints);
  for (const pattern of patterns) {
    if (!files.some(({ path }) => matches(path, pattern))) {
      throw new Error(`expected a file that matches ${pattern}, but there is none`);
    }
  }
  checkPaths(files);
  const main = files.find(({ path }) => matches(path, patterns[0])).path;
  return { files, candidate: { content: manifestOf(files, main), media_type: MANIFEST_TYPE } };
}

function entryOf({ path, content }) {
  return { path, media_type: mediaTypeOf(path, content), size: content.length, digest: sha256(content), content };
}

/** Strings themselves are compared by units of UTF-16, which is another order; bytes of UTF-8 have the right one. */
const byCodePoints = (one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path));

/** A line for each file. JSON.stringify escapes just what is to be escaped. */
function manifestOf(files, main) {
  const line = ({ path, media_type, size, digest }) => JSON.stringify({ path, media_type, size, digest });
  return Buffer.from(`{"main":${JSON.stringify(main)},"files":[\n${files.map(line).join(",\n")}\n]}`);
}

/** By the end of the name alone where it is known, so that it is the same on every machine. */
function mediaTypeOf(path, content) {
  const [end] = /\.[^./]*$/.exec(path.toLowerCase()) ?? [""];
  if (Object.hasOwn(MEDIA_TYPES, end)) return MEDIA_TYPES[end];
  return isUtf8(content) && !content.includes(0) ? "text/plain" : "application/octet-stream";
}

/** Paths that some disk could not have, or would take for one. */
function checkPaths(files) {
  const taken = new Set();
  for (const { path } of files) {
    const names = path.split("/");
    const isWrong = UNPRINTABLE.test(path) || names.some((name) => ["", ".", ".."].includes(name));
    const isLong = names.some((name) => Buffer.byteLength(name) > 255) || Buffer.byteLength(path) > 2048;
    if (isWrong || isLong || [...path].length > 1024 || names.length > 100) {
      throw new Error(`expected a relative path of ordinary names, but got ${JSON.stringify(path)}`);
    }
    const folded = path.normalize("NFD").toUpperCase().toLowerCase().normalize("NFC"); // ß and ss are alike, too
    if (taken.has(folded)) throw new Error(`expected paths that differ in more than their case, but got ${path} twice`);
    taken.add(folded);
  }
  for (const path of taken) {
    const folders = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
    const file = folders.find((folder) => taken.has(folder));
    if (file !== undefined) throw new Error(`expected ${file} to be a file or a folder, but ${path} is in it`);
  }
}
