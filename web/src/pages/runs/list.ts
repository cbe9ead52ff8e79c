// The executions of a question, page by page, and kept fresh as far as they are looked at.
import { batch, signal } from "@preact/signals";
import { type ExecutionFilter, executions, isAborted, Problem } from "../../api";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { isLive } from "./figures";

const PAGE = 50;
const MOST_ASKED = 20; // executions that are asked for at once, of those in view

type Door = Pick<typeof executions, "list" | "get">;

export class RunList {
  readonly rows = signal<readonly ExecutionJson[]>([]);
  readonly token = signal("");
  readonly busy = signal(false);
  readonly error = signal<unknown>(undefined);
  readonly asOf = signal(0);
  private question: ExecutionFilter = {};
  private current = new AbortController();

  constructor(private readonly door: Door = executions) {}

  /** Begins anew with a question. The rows of the last one stay until the answer is there. */
  async ask(question: ExecutionFilter): Promise<void> {
    this.current.abort();
    this.current = new AbortController();
    this.question = question;
    this.token.value = "";
    this.busy.value = false;
    await this.page("", (rows) => {
      this.rows.value = rows;
    });
  }

  /** Loads the next page, when there is one. */
  async more(): Promise<void> {
    if (this.busy.value || this.token.value === "") return;
    await this.page(this.token.value, (rows) => {
      const known = new Set(this.rows.value.map(({ executionId }) => executionId));
      this.rows.value = [...this.rows.value, ...rows.filter(({ executionId }) => !known.has(executionId))];
    });
  }

  /** Asks again for the live ones of those in view and, with `isAtTop`, for new ones. */
  async refresh(inView: ReadonlySet<string>, isAtTop: boolean): Promise<void> {
    const { signal } = this.current;
    const live = this.rows.value.filter((one) => inView.has(one.executionId ?? "") && isLive(one));
    const asked = live.slice(0, MOST_ASKED).map((one) => this.one(one.executionId ?? "", signal));
    const top =
      isAtTop && !this.busy.value
        ? this.door.list({ ...this.question, pageSize: PAGE }, { signal })
        : undefined;
    try {
      const found = new Map((await Promise.all(asked)).map((one) => [one.id, one.execution] as const));
      const fresh = (await top)?.executions ?? [];
      if (signal.aborted) return;
      this.rows.value = merged(this.rows.value, found, fresh);
      this.asOf.value = Date.now();
      this.error.value = undefined;
    } catch (error) {
      if (!isAborted(error)) this.error.value = error;
    }
  }

  close(): void {
    this.current.abort();
  }

  private async one(
    id: string,
    signal: AbortSignal,
  ): Promise<{ id: string; execution: ExecutionJson | undefined }> {
    try {
      return { id, execution: (await this.door.get(id, { signal })).execution };
    } catch (error) {
      if (error instanceof Problem && error.isMissing) return { id, execution: undefined };
      throw error;
    }
  }

  private async page(pageToken: string, take: (rows: readonly ExecutionJson[]) => void): Promise<void> {
    const { signal } = this.current;
    this.busy.value = true;
    try {
      const answer = await this.filled(pageToken, signal);
      if (signal.aborted) return;
      batch(() => {
        take(answer.rows);
        this.token.value = answer.token;
        this.error.value = undefined;
        this.asOf.value = Date.now();
        this.busy.value = false;
      });
    } catch (error) {
      if (isAborted(error) || signal.aborted) return;
      this.error.value = error;
      this.busy.value = false;
    }
  }

  /** A page that is filtered may be empty and not the last one: asks on until there is something to show. */
  private async filled(pageToken: string, signal: AbortSignal) {
    let token = pageToken;
    for (;;) {
      const query = { ...this.question, pageSize: PAGE, ...(token ? { pageToken: token } : {}) };
      const answer = await this.door.list(query, { signal });
      token = answer.nextPageToken ?? "";
      const rows = answer.executions ?? [];
      if (rows.length > 0 || token === "") return { rows, token };
    }
  }
}

/** Returns the rows with what is newer of them, new ones above; one that is gone is left out. */
export function merged(
  rows: readonly ExecutionJson[],
  found: ReadonlyMap<string, ExecutionJson | undefined>,
  fresh: readonly ExecutionJson[],
): readonly ExecutionJson[] {
  const newer = new Map(fresh.map((one) => [one.executionId ?? "", one]));
  const known = new Set(rows.map(({ executionId }) => executionId));
  const kept = rows.flatMap((row) => {
    const id = row.executionId ?? "";
    if (found.has(id)) return found.get(id) ?? [];
    return newer.get(id) ?? row;
  });
  const oldest = rows[0]?.createdAt ?? "";
  const above = fresh.filter((one) => !known.has(one.executionId) && (one.createdAt ?? "") >= oldest);
  return [...above, ...kept];
}
