// All results of a run as one file, for the Run page: `<RunResults execution={id} />`.
import { executions } from "../api";
import { s } from "./strings";

export function RunResults({ execution, small = true }: { execution: string; small?: boolean }) {
  return (
    <a
      class={`button ${small ? "compact" : ""}`}
      href={executions.results(execution)}
      download
      title={s.allResultsWhy()}
    >
      {s.allResults()}
    </a>
  );
}
