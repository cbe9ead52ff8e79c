import { useExecution } from "../../stream";
import { Failed, Loading } from "../../ui";
import type { PageProps } from "..";

export default function RunPage({ route }: PageProps<"run">) {
  const store = useExecution(route.execution);
  if (store?.refused.value) return <Failed error={store.refused.value} />;
  if (!store?.ready.value) return <Loading />;
  return <h1>{store.fold.execution.planId}</h1>;
}
