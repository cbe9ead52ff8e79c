// One plan while it is edited: its text, what is stored of it, and the draft that is kept in this tab.
import { computed, effect, type Signal, signal } from "@preact/signals";
import { type Diagnosed, type Options, plans } from "../../api";
import { dropDraft, keepDraft, readDraft } from "./drafts";
import type { Stored } from "./stored";

const REST = 400; // milliseconds after which a draft is kept

export const TEMPLATE = `{
  "idea": "",
  "tasks": [
    {
      "task_id": "1",
      "description": "",
      "input": {},
      "output": {"artifact": "result", "format": "Markdown"},
      "validation": {"criteria": [""]}
    }
  ]
}
`;

export class Editing {
  readonly text: Signal<string>;
  readonly stored: Signal<string | undefined>;
  readonly infer = signal(true);
  /** The draft of an earlier look at this page is what is shown. */
  readonly restored: Signal<boolean>;
  /** The browser had no room for the draft. */
  readonly isHomeless = signal(false);
  readonly isDirty = computed(() => this.text.value !== this.stored.value);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly plan: string,
    found: Stored,
  ) {
    const draft = readDraft(plan);
    const text = found.kind === "text" ? found.text : undefined;
    this.stored = signal(text);
    this.text = signal(draft ?? text ?? (found.kind === "missing" ? TEMPLATE : ""));
    this.restored = signal(draft !== undefined && draft !== text);
  }

  /** Keeps the draft up to date until what is returned is called. */
  keep(): () => void {
    const stop = effect(() => {
      this.text.value;
      clearTimeout(this.timer);
      this.timer = setTimeout(this.keepNow, REST);
    });
    addEventListener("pagehide", this.keepNow);
    return () => {
      stop();
      clearTimeout(this.timer);
      removeEventListener("pagehide", this.keepNow);
      this.keepNow();
    };
  }

  discard(): void {
    dropDraft(this.plan);
    this.restored.value = false;
    this.text.value = this.stored.value ?? TEMPLATE;
  }

  /** Compiles the text and stores it; under this plan's id it is what is stored from then on. */
  async store(id: string, options: Options): Promise<Diagnosed> {
    const text = this.text.value;
    const query = this.infer.value ? {} : { noInfer: 1 };
    const answer = await plans.compile(text, id, { ...options, query });
    if (id === this.plan) this.stored.value = text;
    this.restored.value = false;
    dropDraft(this.plan);
    return answer;
  }

  private readonly keepNow = () => {
    const text = this.text.peek();
    const isNew = text === this.stored.peek() || (this.stored.peek() === undefined && text === TEMPLATE);
    if (isNew || text === "") dropDraft(this.plan);
    else this.isHomeless.value = !keepDraft(this.plan, text);
  };
}
