// Why a request did not do what it was to do: the door's problem+json, or the want of an answer.
import type { DiagnosticJson } from "../gen/signoff/v1/plan_pb";

/** A diagnostic with its place in the text, when the door knows it. Lines and columns begin at 1. */
export type PlacedDiagnostic = DiagnosticJson & {
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
};

export type ProblemBody = {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  reason?: string;
  metadata?: Record<string, string>;
  diagnostics?: PlacedDiagnostic[];
};

/** An answer that says no. `message` is the door's sentence. */
export class Problem extends Error {
  override readonly name = "Problem";
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
    /** Seconds after which asking again may help; undefined when the door did not say. */
    readonly retryAfter?: number,
  ) {
    super(body.detail || body.title || `the server answered with status ${status} and no sentence`);
  }

  /** The reason for programs, such as "EXECUTION_NOT_FOUND"; empty when there is none. */
  get reason(): string {
    return this.body.reason ?? "";
  }

  get isMissing(): boolean {
    return this.status === 404;
  }
}

/** No answer at all: the door cannot be reached. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Returns the problem of an answer, also of one that is not from the door, such as a proxy's. */
export async function problemOf(answer: Response): Promise<Problem> {
  const after = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  const isProblem = (answer.headers.get("Content-Type") ?? "").includes("json");
  const body = isProblem ? await answer.json().catch(() => ({})) : {};
  const known = typeof body === "object" && body !== null ? (body as ProblemBody) : {};
  return new Problem(answer.status, known, Number.isFinite(after) ? after : undefined);
}
