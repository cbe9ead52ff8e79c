import { connection } from "../stream";
import { Visible } from "../ui";
import { clockTime } from "../ui/format";
import { s } from "./strings";

/** Says when what is shown is not live, and as of when it is. */
export function Banner() {
  const now = connection.value;
  if (now.kind !== "lost" && now.kind !== "away") return null;
  return (
    <div class="banner" role="alert">
      <strong>{sentence(now.kind, now.asOf)}</strong>
      {now.sentence && (
        <span class="small">
          <Visible text={now.sentence} most={300} />
        </span>
      )}
    </div>
  );
}

function sentence(kind: "lost" | "away", asOf: number): string {
  if (kind === "away") return s.away(clockTime(asOf));
  return asOf ? s.lost(clockTime(asOf)) : s.never();
}
