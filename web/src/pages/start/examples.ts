// The examples of the repository: files of the built page, made from those of the repository and fetched when asked for.
import aiTrends from "../../../../examples/ai_trends/plan.json?url";
import releaseNotes from "../../../../examples/release_notes/plan.json?url";

export const EXAMPLES = { release_notes: releaseNotes, ai_trends: aiTrends } as const;
export type ExampleName = keyof typeof EXAMPLES;

/** Returns the text of an example. */
export async function exampleText(name: ExampleName): Promise<string> {
  const answer = await fetch(EXAMPLES[name]);
  if (!answer.ok)
    throw new Error(`expected the example ${name} as a file of this page, but got ${answer.status}`);
  return answer.text();
}
