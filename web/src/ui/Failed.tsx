import { sentenceOf } from "../api/client";
import { words } from "../i18n";
import { Button } from "./Button";
import { Visible } from "./Visible";
import "./failed.css";

/** Why there is nothing to see, in the sentence that came, and a way to ask again. */
export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <div class="failed-box" role="alert">
      <Visible text={sentenceOf(error)} />
      {again && <Button onClick={again}>{words.retry()}</Button>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading-box" role="status">
      {words.loading()}
    </div>
  );
}
