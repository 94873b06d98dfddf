import { useEffect, useState } from "preact/hooks";
import type { RunDetails } from "../../../server/api-types.js";
import { enumerate, thousands } from "../../../text.js";
import { api, useGet } from "../../api/client.js";
import { openOnServer } from "../../api/pictures.js";
import { type Classifier, openInBrowser } from "../../classify/classifier.js";
import { Classify } from "../../classify/classify.js";
import type { Place } from "../../router.js";
import { RunChooser } from "../run-chooser.js";

/** What a run's network takes pictures for; it computes on the server or here. */
export function ClassifyPage({ place }: { readonly place: Place }) {
  const [, id] = place.parts;
  return (
    <>
      <div class="title">
        <h1>What is on the picture?</h1>
        <RunChooser page="classify" id={id} empty="Then its network says here what your pictures show." />
      </div>
      {id !== undefined && <Chosen key={id} id={id} />}
    </>
  );
}

function Chosen({ id }: { readonly id: string }) {
  const { data: run } = useGet<RunDetails>(api("runs", id));
  const [here, setHere] = useState(false);
  const [classifier, setClassifier] = useState<Classifier>();
  const [share, setShare] = useState<number>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setProblem(undefined);
    if (!here) {
      setClassifier(openOnServer(id));
      return;
    }
    setClassifier(undefined);
    setShare(undefined);
    let opened: Classifier | undefined;
    let left = false;
    const model = { model: api("runs", id, "model.onnx"), description: api("runs", id, "model.json") };
    openInBrowser(model, setShare).then(
      (ready) => {
        opened = ready;
        if (left) ready.close();
        else setClassifier(ready);
      },
      (error: Error) => setProblem(error.message),
    );
    return () => {
      left = true;
      opened?.close();
    };
  }, [id, here]);
  // Between a choice and what it leads to, what was chosen before is no answer.
  const ready = (classifier?.place === "on the server") === here ? undefined : classifier;
  return (
    <>
      <div class="head where">
        <p class="soft">
          {run === undefined ? "\u00a0" : `${thousands(run.classes.length)} classes: ${enumerate(run.classes, 6)}.`}
        </p>
        <fieldset class="switch">
          <legend class="hidden">Where it computes</legend>
          <button type="button" aria-pressed={!here} onClick={() => setHere(false)}>
            on the server
          </button>
          <button type="button" aria-pressed={here} onClick={() => setHere(true)}>
            in this browser
          </button>
        </fieldset>
      </div>
      <p class="soft where-note" role="status">
        {problem !== undefined && <span class="wrong">The network can't be loaded: {problem}</span>}
        {problem === undefined && here && ready === undefined && (
          <>
            <progress max="1" value={share} aria-label="Loading the network" /> Loading the network
            {share !== undefined && `: ${Math.round(100 * share)} %`}
          </>
        )}
        {here &&
          ready !== undefined &&
          "The network is here: it works with the server stopped, and pictures stay on this machine."}
      </p>
      <Classify classifier={ready} />
    </>
  );
}
