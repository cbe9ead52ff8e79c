// What a worker is given: contents inside the assignment, those that it fetches, and the files of manifests.

import { MANIFEST_TYPE, sha256 } from "./manifest.js";

/**
 * All that an assignment names: `content`, the bytes; of a manifest `main`, the path of its main file, and `files`.
 * All of it is in memory, which is enough for small inputs.
 */
export async function givenBy(assign, runner, signal) {
  const fetching = { assign, runner, signal };
  const inputs = await Promise.all(assign.inputs.map((artifact) => given(artifact, fetching)));
  return { inputs, candidate: assign.candidate && (await given(assign.candidate, fetching)) };
}

async function given(artifact, fetching) {
  const content = await contentOf(artifact, fetching);
  if (artifact.media_type !== MANIFEST_TYPE) return { content };
  const { main, files } = JSON.parse(content);
  return { content, main, files: await filesOf(artifact, files, fetching) };
}

async function contentOf(artifact, fetching) {
  if (artifact.content !== "by_reference") return artifact.inline;
  const chunks = [];
  for await (const answer of call(artifact, {}, fetching)) {
    if (answer.content === "chunk") chunks.push(answer.chunk);
  }
  return checked(Buffer.concat(chunks), artifact.digest);
}

/** The files of a manifest, one after the other, each compared with what the manifest says. */
async function filesOf(artifact, expected, fetching) {
  const chunks = [];
  for await (const answer of call(artifact, { all_files: true }, fetching)) {
    if (answer.file) {
      const { path } = expected[chunks.length] ?? {};
      if (answer.file.path !== path) throw new Error(`expected the file ${path}, but got ${answer.file.path}`);
      chunks.push([]);
    }
    if (answer.content === "chunk") chunks.at(-1).push(answer.chunk);
  }
  if (chunks.length < expected.length) throw new Error(`expected ${expected.length} files, but got ${chunks.length}`);
  return expected.map((file, index) => ({ ...file, content: checked(Buffer.concat(chunks[index]), file.digest) }));
}

/** The content that stands for all of it: of a manifest, that of its main file. */
export const mainContent = ({ content, main, files }) => files?.find(({ path }) => path === main).content ?? content;

function checked(content, expected) {
  const digest = sha256(content);
  if (digest !== expected) throw new Error(`expected SHA-256 ${expected}, but got ${digest}`);
  return content;
}

function call({ task_id, digest }, more, { assign, runner, signal }) {
  const ref = { execution_id: assign.execution_id };
  const answers = runner.GetArtifact({ ref, task_id, lease_id: assign.lease_id, digest, ...more });
  signal.addEventListener("abort", () => answers.cancel(), { once: true });
  return answers;
}
