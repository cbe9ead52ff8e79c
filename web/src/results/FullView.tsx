// A dialog that fills the window, for what is too long for its place.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../i18n";
import { visible } from "../ui/visible";

export function FullView(props: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => (before as HTMLElement | null)?.focus?.();
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    props.close();
  };
  return (
    <dialog ref={dialog} class="dialog full-view" aria-label={visible(props.title)} onCancel={cancel}>
      <div class="row">
        <h2 class="grow ellipsis">{visible(props.title)}</h2>
        <button type="button" class="close" aria-label={words.close()} onClick={props.close}>
          ×
        </button>
      </div>
      <div class="full-room">{props.children}</div>
    </dialog>
  );
}
