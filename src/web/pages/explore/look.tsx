import { useEffect, useRef, useState } from "preact/hooks";
import type { Neighbour, ShownActivations, ShownOcclusion } from "../../../server/api-types.js";
import { activationsOf, neighboursOf, occlusionOf, pictureSource } from "../../api/pictures.js";
import { Bars } from "../../components/bars.js";
import { Section } from "../../components/section.js";
import { share } from "../../format.js";

interface ChosenPicture {
  readonly blob: Blob;
  readonly name: string;
}

interface LookProps {
  readonly id: string;
  readonly picture: ChosenPicture | undefined;
  choose(picture: ChosenPicture): void;
}

type Answer<T> = { readonly data?: T; readonly problem?: string };

/** What the network makes of one picture: its maps layer by layer, which parts speak for the class, what looks like it. */
export function Look({ id, picture, choose }: LookProps) {
  const chooser = useRef<HTMLInputElement>(null);
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (picture === undefined) return;
    const made = URL.createObjectURL(picture.blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  const activations = useAnswer<ShownActivations>(picture, (blob, signal) => activationsOf(id, blob, signal));
  const occlusion = useAnswer<ShownOcclusion>(picture, (blob, signal) => occlusionOf(id, blob, signal));
  const neighbours = useAnswer<readonly Neighbour[]>(picture, (blob, signal) => neighboursOf(id, blob, signal));
  return (
    <Section
      id="look"
      title="Through the eyes of the network"
      tools={
        <>
          <button type="button" class="button" onClick={() => chooser.current?.click()}>
            Choose a picture
          </button>
          <input
            ref={chooser}
            class="hidden"
            type="file"
            accept="image/*"
            tabIndex={-1}
            aria-label="A picture to look at"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (file) choose({ blob: file, name: file.name });
              currentTarget.value = "";
            }}
          />
        </>
      }
    >
      {picture === undefined ? (
        <p class="placeholder">Choose a picture, or one of those below: its way through the layers is shown here.</p>
      ) : (
        <div class="look">
          <div class="look-first">
            <figure>
              <img src={url} alt={picture.name} width={227} />
              <figcaption class="soft">{picture.name}</figcaption>
            </figure>
            <div>
              {activations.data ? (
                <Bars
                  bars={activations.data.predictions.map(({ class: name, probability }) => ({ name, probability }))}
                />
              ) : (
                <Waiting answer={activations} />
              )}
            </div>
            <figure>
              {occlusion.data ? (
                <>
                  <img
                    src={occlusion.data.image}
                    alt={`The crop, and which of its parts speak for ${occlusion.data.class}`}
                  />
                  <figcaption>
                    What hiding a part costs {occlusion.data.class}: light where the most.{" "}
                    <a href={occlusion.data.image} download="occlusion.png">
                      PNG
                    </a>
                  </figcaption>
                </>
              ) : (
                <Waiting answer={occlusion} />
              )}
            </figure>
          </div>
          {activations.data && <Layers layers={activations.data.layers} />}
          <h3>What looks most like it to the network</h3>
          <p class="soft">Of the pictures kept out of training, those nearest by what fc7 makes of them.</p>
          {neighbours.data ? (
            <ul class="pictures">
              {neighbours.data.map((neighbour) => (
                <li key={neighbour.n}>
                  <figure>
                    <img
                      src={pictureSource(id, neighbour.n)}
                      alt={neighbour.file}
                      title={neighbour.file}
                      width={112}
                      height={112}
                    />
                    <figcaption>
                      {neighbour.label} {share(neighbour.similarity)}
                    </figcaption>
                  </figure>
                </li>
              ))}
            </ul>
          ) : (
            <Waiting answer={neighbours} />
          )}
        </div>
      )}
    </Section>
  );
}

function Layers({ layers }: Pick<ShownActivations, "layers">) {
  const [chosen, choose] = useState(0);
  const shown = layers[Math.min(chosen, layers.length - 1)];
  if (shown === undefined) return null;
  const { layer, kind, channels, height, width, image } = shown;
  return (
    <>
      <div class="scroll">
        <fieldset class="switch layers">
          <legend class="hidden">Layer</legend>
          {layers.map((one, i) => (
            <button key={one.layer} type="button" aria-pressed={one === shown} onClick={() => choose(i)}>
              {one.layer}
            </button>
          ))}
        </fieldset>
      </div>
      <figure>
        <img class="maps pixelated" src={image} alt={`The feature maps of ${layer}`} />
        <figcaption>
          {layer}: {kind}, {channels} {channels === 1 ? "map" : "maps"} of {width}x{height}, black for 0.{" "}
          <a href={image} download={`${layer}.png`}>
            PNG
          </a>
        </figcaption>
      </figure>
    </>
  );
}

function Waiting({ answer: { problem } }: { readonly answer: Answer<unknown> }) {
  return problem === undefined ? (
    <p class="soft waiting">computing …</p>
  ) : (
    <p class="wrong" role="alert">
      {problem}
    </p>
  );
}

function useAnswer<T>(
  picture: ChosenPicture | undefined,
  ask: (picture: Blob, signal: AbortSignal) => Promise<T>,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({});
  useEffect(() => {
    if (picture === undefined) return;
    const stop = new AbortController();
    setAnswer({});
    ask(picture.blob, stop.signal).then(
      (data) => setAnswer({ data }),
      (error: Error) => {
        if (!stop.signal.aborted) setAnswer({ problem: error.message });
      },
    );
    return () => stop.abort();
  }, [picture]);
  return answer;
}
