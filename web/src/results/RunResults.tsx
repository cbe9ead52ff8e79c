import { executions } from "../api";
import { s } from "./strings";

/** All results of a run as one file. */
export function RunResults({ execution }: { execution: string }) {
  return (
    <a class="button compact quiet" href={executions.results(execution)} download title={s.allResultsWhy()}>
      {s.allResults()}
    </a>
  );
}
