import { useEffect, useRef, useState } from "preact/hooks";

interface CameraProps {
  take(picture: File): void;
  close(): void;
}

/** The camera's picture as it is now, and a button that takes it. */
export function Camera({ take, close }: CameraProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let stream: MediaStream | undefined;
    let closed = false;
    openCamera().then(
      (opened) => {
        stream = opened;
        if (closed) stop(opened);
        else if (video.current) video.current.srcObject = opened;
      },
      (error: unknown) => setProblem(explain(error)),
    );
    return () => {
      closed = true;
      if (stream) stop(stream);
    };
  }, []);
  const shoot = (): void => {
    const source = video.current;
    if (source === null || source.videoWidth === 0) return;
    const canvas = document.createElement("canvas");
    canvas.width = source.videoWidth;
    canvas.height = source.videoHeight;
    canvas.getContext("2d")?.drawImage(source, 0, 0);
    canvas.toBlob((blob) => blob && take(new File([blob], `camera-${Date.now()}.png`, { type: blob.type })));
  };
  return (
    <div class="camera">
      {problem === undefined ? (
        <video ref={video} autoplay playsInline muted aria-label="The camera's picture" />
      ) : (
        <p role="alert">{problem}</p>
      )}
      <div class="row">
        {problem === undefined && (
          <button type="button" class="button primary" onClick={shoot}>
            Take a picture
          </button>
        )}
        <button type="button" class="button" onClick={close}>
          Close the camera
        </button>
      </div>
    </div>
  );
}

function openCamera(): Promise<MediaStream> {
  // Absent where the page came over plain HTTP from another machine.
  if (navigator.mediaDevices === undefined)
    return Promise.reject(new Error("Browsers give the camera only to pages of this machine or over HTTPS."));
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function explain(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "The browser was not allowed to use the camera: allow it beside the address.";
  if (name === "NotFoundError") return "There is no camera here.";
  return error instanceof Error ? error.message : String(error);
}
