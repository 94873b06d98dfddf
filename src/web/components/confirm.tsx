import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface ConfirmProps {
  /** On the button that opens the question. */
  readonly label: string;
  readonly question: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  act(): Promise<void>;
}

/** A button that asks before it acts. */
export function Confirm({ label, question, children, danger = false, disabled = false, act }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      setOpen(false);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button
        type="button"
        class={danger ? "button danger" : "button"}
        disabled={disabled}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      <dialog ref={dialog} class="dialog" aria-label={question} onClose={() => setOpen(false)}>
        {open && (
          <>
            <h2>{question}</h2>
            {children}
            {problem !== undefined && (
              <p class="wrong" role="alert">
                {problem}
              </p>
            )}
            <div class="row end">
              <button type="button" class="button" onClick={() => setOpen(false)}>
                Cancel
              </button>
              <button
                type="button"
                class={danger ? "button danger" : "button primary"}
                disabled={busy}
                onClick={confirm}
              >
                {label}
              </button>
            </div>
          </>
        )}
      </dialog>
    </>
  );
}
