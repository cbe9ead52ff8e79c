import { useRef, useState } from "preact/hooks";
import { newKey, type Options } from "../api/client";
import { toastError } from "./toasts";

/**
 * Runs what a button does: busy until it has ended, and a failure is told in its own sentence. Each press has one key, so
 * that a command that is sent twice on the way is carried out once.
 */
export function usePress<A extends unknown[]>(
  work: (options: Options, ...values: A) => Promise<unknown>,
): { press: (...values: A) => Promise<void>; busy: boolean } {
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const press = async (...values: A) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    try {
      await work({ key: newKey() }, ...values);
    } catch (error) {
      toastError(error);
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { press, busy };
}
