import type { CanaryTallyJson } from "../../gen/signoff/v1/execution_pb";
import { Visible } from "../../ui";
import { Scroll } from "./Scroll";
import { s } from "./strings";
import { wilson } from "./wilson";

const FEW = 30; // canaries of a kind: fewer say too little
const MANY = 300;

/** How the pools of validators judged candidates that are known to be good or bad, and how much that says. */
export function Canaries({ tallies }: { tallies: readonly CanaryTallyJson[] }) {
  return (
    <section class="stack tight">
      <h2>{s.canaries()}</h2>
      <p class="small muted">{s.canariesWhy()}</p>
      {tallies.length === 0 ? (
        <p class="card">{s.noCanaries()}</p>
      ) : (
        <Scroll label={s.canaries()}>
          <table class="plain">
            <thead>
              <tr>
                {[s.pool(), s.rejected(), s.accepted(), s.undecided(), s.meaning()].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody class="numbers">
              {tallies.map((tally, n) => (
                <Row key={n} tally={tally} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function Row({ tally }: { tally: CanaryTallyJson }) {
  const [good, bad] = [Number(tally.good ?? 0), Number(tally.bad ?? 0)];
  const [rejected, accepted] = [Number(tally.falseRejects ?? 0), Number(tally.falseAccepts ?? 0)];
  const labels = Object.entries(tally.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return (
    <tr>
      <th scope="row">
        <Visible text={tally.model || s.checksAlone()} most={80} />
        {labels.length > 0 && (
          <div class="small muted">
            <Visible text={labels.join(", ")} most={120} />
          </div>
        )}
      </th>
      <td>
        <Share part={rejected} whole={good} />
      </td>
      <td>
        <Share part={accepted} whole={bad} />
      </td>
      <td>{Number(tally.undecided ?? 0)}</td>
      <td class="meaning">{meaningOf(rejected, good, accepted, bad)}</td>
    </tr>
  );
}

function Share({ part, whole }: { part: number; whole: number }) {
  if (whole === 0) return <span class="muted">—</span>;
  const [low, high] = wilson(part, whole);
  return (
    <>
      <strong class={part > 0 ? "trouble" : ""}>{s.ofN(part, whole)}</strong>
      <div class="small muted nowrap">{s.shareOf(told(low), told(high))}</div>
    </>
  );
}

/** Returns a plain sentence: which shares are likely, and whether that is enough to rely on. */
export function meaningOf(rejected: number, good: number, accepted: number, bad: number): string {
  const ofBad = bad ? s.badSays(...shares(accepted, bad)) : s.nothingBad();
  const ofGood = good ? s.goodSays(...shares(rejected, good)) : s.nothingGood();
  const least = Math.min(good, bad);
  const worth = least < FEW ? s.tooFew() : least < MANY ? s.some() : s.many();
  const sentence = `${ofBad}; ${ofGood}. ${worth}`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function shares(part: number, whole: number): [low: string, high: string] {
  const [low, high] = wilson(part, whole);
  return [told(low), told(high)];
}

function told(share: number): string {
  const percent = 100 * share;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}
