// Fails when the built page is larger than promised, or would need what its Content-Security-Policy forbids.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const MOST_SCRIPT = 150_000; // bytes of all scripts together, gzipped
const MOST_BUNDLE = 300_000; // bytes of everything, gzipped

const folder = new URL("../../signoff/web/static/", import.meta.url).pathname;
const sizes = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path, bytes: gzipSync(readFileSync(path), { level: 9 }).length }));
const sum = (files) => files.reduce((all, file) => all + file.bytes, 0);
const script = sum(sizes.filter(({ path }) => path.endsWith(".js")));
const bundle = sum(sizes);
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

console.log(
  `scripts ${kb(script)} of ${kb(MOST_SCRIPT)}, bundle ${kb(bundle)} of ${kb(MOST_BUNDLE)}, gzipped`,
);
const wrong = [];
if (script > MOST_SCRIPT) wrong.push(`expected at most ${kb(MOST_SCRIPT)} of scripts, but got ${kb(script)}`);
if (bundle > MOST_BUNDLE)
  wrong.push(`expected at most ${kb(MOST_BUNDLE)} in the bundle, but got ${kb(bundle)}`);
const page = readFileSync(join(folder, "index.html"), "utf8");
if (/<script(?![^>]*\bsrc=)[^>]*>/.test(page))
  wrong.push("expected no inline script in index.html, but got one");
if (/<style|\sstyle=/.test(page)) wrong.push("expected no inline style in index.html, but got one");
if (/(src|href)="\/(?!")/.test(page))
  wrong.push("expected relative addresses in index.html, but got an absolute one");
for (const sentence of wrong) console.error(sentence);
process.exit(wrong.length ? 1 : 0);
