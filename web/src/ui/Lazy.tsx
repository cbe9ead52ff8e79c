import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failed, Loading } from "./Failed";

type Loader<P> = () => Promise<{ readonly default: ComponentType<P> }>;
type Loaded<P> = { from: Loader<P>; part?: ComponentType<P>; error?: unknown };

/** Shows a component whose module is fetched when it is needed first. */
export function Lazy<P extends object>({ load, props }: { load: Loader<P>; props: P }) {
  const [loaded, setLoaded] = useState<Loaded<P> | undefined>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    load().then(
      (module) => isCurrent && setLoaded({ from: load, part: module.default }),
      (error: unknown) => isCurrent && setLoaded({ from: load, error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [load, tries]);
  if (loaded?.from !== load) return <Loading />;
  if (!loaded.part) return <Failed error={loaded.error} again={() => setTries(tries + 1)} />;
  const Part = loaded.part;
  return <Part {...props} />;
}
