import type { ComponentChildren } from "preact";
import type { ShownPicture } from "../../report/data.js";
import { share } from "../format.js";

interface PicturesProps {
  readonly pictures: readonly ShownPicture[];
  /** Where a picture's pixels are. */
  sourceOf(picture: ShownPicture): string;
  /** What stands below each besides its verdict. */
  below?(picture: ShownPicture): ComponentChildren;
}

export const THUMBNAIL = 112; // pixels

export function Pictures({ pictures, sourceOf, below }: PicturesProps) {
  return (
    <ul class="pictures">
      {pictures.map((picture) => (
        <li key={picture.id}>
          <figure>
            <img
              src={sourceOf(picture)}
              alt={picture.file}
              title={picture.file}
              width={THUMBNAIL}
              height={THUMBNAIL}
              loading={sourceOf(picture).startsWith("data:") ? undefined : "lazy"}
            />
            <figcaption>
              <span class={picture.correct ? "right" : "wrong"}>{picture.predicted}</span> {share(picture.confidence)}
              {!picture.correct && (
                <>
                  <br />
                  is {picture.label}, {share(picture.labelProbability)}
                </>
              )}
              {below?.(picture)}
            </figcaption>
          </figure>
        </li>
      ))}
    </ul>
  );
}
