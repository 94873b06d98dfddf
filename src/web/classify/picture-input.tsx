import { useEffect, useRef, useState } from "preact/hooks";
import { Camera } from "./camera.js";

interface PictureInputProps {
  /** Whether pictures can be taken now. */
  readonly ready: boolean;
  take(pictures: readonly File[]): void;
}

/** Takes pictures however they come: dropped, pasted, chosen or photographed. */
export function PictureInput({ ready, take }: PictureInputProps) {
  const [over, setOver] = useState(false);
  const [camera, setCamera] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const receive = (files: Iterable<File> | null | undefined): void => {
    const pictures = [...(files ?? [])].filter(({ type }) => type === "" || type.startsWith("image/"));
    if (ready && pictures.length > 0) take(pictures);
  };

  // Anywhere on the page: what is dropped beside the frame must not replace the page.
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => receive(event.clipboardData?.files);
    const drag = (event: DragEvent): void => {
      event.preventDefault();
      setOver(event.type === "dragover");
      if (event.type === "drop") receive(event.dataTransfer?.files);
    };
    document.addEventListener("paste", paste);
    for (const kind of ["dragover", "dragleave", "drop"] as const) document.addEventListener(kind, drag);
    return () => {
      document.removeEventListener("paste", paste);
      for (const kind of ["dragover", "dragleave", "drop"] as const) document.removeEventListener(kind, drag);
    };
  });

  return (
    <div class={over ? "drop over" : "drop"}>
      {camera ? (
        <Camera take={(picture) => receive([picture])} close={() => setCamera(false)} />
      ) : (
        <>
          <svg class="drop-icon" viewBox="0 0 48 48" aria-hidden="true">
            <rect x="6" y="10" width="36" height="28" rx="4" />
            <circle cx="17" cy="20" r="3.5" />
            <path d="M8 35l11-11 8 8 6-6 8 8" />
          </svg>
          <p class="drop-title">Drop or paste pictures here</p>
          <div class="row">
            <button type="button" class="button primary" disabled={!ready} onClick={() => chooser.current?.click()}>
              Choose pictures
            </button>
            <button type="button" class="button" disabled={!ready} onClick={() => setCamera(true)}>
              Use the camera
            </button>
          </div>
          <input
            ref={chooser}
            class="hidden"
            type="file"
            accept="image/*"
            multiple
            tabIndex={-1}
            aria-label="Pictures"
            onChange={({ currentTarget }) => {
              receive(currentTarget.files);
              currentTarget.value = "";
            }}
          />
        </>
      )}
    </div>
  );
}
