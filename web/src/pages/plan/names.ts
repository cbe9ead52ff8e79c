// Ids of plans: the form that the planner takes, and one made of a file's name.

const FORM = /^[A-Za-z0-9_-]{1,128}$/;

export function isPlanId(id: string): boolean {
  return FORM.test(id);
}

/** Returns an id for a plan of this file name; "plan" when nothing of it can be used. */
export function planIdOf(fileName: string): string {
  const id = fileName
    .replace(/\.json$/i, "")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 100);
  return id || "plan";
}
