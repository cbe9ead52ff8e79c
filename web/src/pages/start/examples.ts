// The examples of the repository, put into the page when it is built. They come in a file of their own, when asked for.
import aiTrends from "../../../../examples/ai_trends/plan.json?raw";
import releaseNotes from "../../../../examples/release_notes/plan.json?raw";

export const EXAMPLES = { release_notes: releaseNotes, ai_trends: aiTrends } as const;
export type ExampleName = keyof typeof EXAMPLES;
