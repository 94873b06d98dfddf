import { useEffect, useState } from "preact/hooks";
import type { ShownPicture } from "../../../report/data.js";
import { cellKey } from "../../../scoring/confusion.js";
import type { RunEvaluation } from "../../../server/api-types.js";
import { evaluationOf, pictureOf, pictureSource } from "../../api/pictures.js";
import { ClassTable } from "../../components/class-table.js";
import { Matrix } from "../../components/matrix.js";
import { Pictures } from "../../components/pictures.js";
import { Reliability } from "../../components/reliability.js";
import { Section } from "../../components/section.js";
import { Loading, Problem } from "../../components/states.js";
import type { Place } from "../../router.js";
import { RunChooser } from "../run-chooser.js";
import { Look } from "./look.js";
import { MarkButton, MarkList, useMarks } from "./marks.js";
import "./explore.css";

/** What a run's network gets wrong, and what it sees. */
export function ExplorePage({ place }: { readonly place: Place }) {
  const [, id] = place.parts;
  return (
    <>
      <div class="title">
        <h1>Explore</h1>
        <RunChooser page="explore" id={id} empty="Then its mistakes, feature maps and filters are shown here." />
      </div>
      {id !== undefined && <Chosen key={id} id={id} />}
    </>
  );
}

function Chosen({ id }: { readonly id: string }) {
  const [data, setData] = useState<RunEvaluation>();
  const [problem, setProblem] = useState<string>();
  const [picture, setPicture] = useState<{ readonly blob: Blob; readonly name: string }>();
  const marks = useMarks(id);
  useEffect(() => {
    const stop = new AbortController();
    evaluationOf(id, stop.signal).then(setData, (error: Error) => {
      if (!stop.signal.aborted) setProblem(error.message);
    });
    return () => stop.abort();
  }, [id]);
  const sourceOf = (shown: ShownPicture): string => pictureSource(id, shown.id);
  const look = async (shown: ShownPicture): Promise<void> => {
    setPicture({ blob: await pictureOf(id, shown.id), name: shown.file });
    document.getElementById("look")?.scrollIntoView();
  };
  const below = (shown: ShownPicture) => (
    <span class="row below">
      <button type="button" class="link" aria-label={`look at ${shown.file}`} onClick={() => void look(shown)}>
        look
      </button>
      <MarkButton marks={marks} picture={shown} />
    </span>
  );
  return (
    <div class="stack explore">
      <Look id={id} picture={picture} choose={setPicture} />
      {problem !== undefined && <Problem title={problem} />}
      {data === undefined && problem === undefined && (
        <>
          <p class="soft" role="status">
            The held-out pictures are looked at; with many of them this takes a while the first time.
          </p>
          <Loading height="40rem" />
        </>
      )}
      {data && (
        <>
          <Section id="confusion" title="Confusion">
            <Matrix
              classes={data.evaluation.perClass}
              confusion={data.evaluation.confusion}
              picturesOf={(cell) => data.cells[cellKey(cell)] ?? []}
              sourceOf={sourceOf}
              below={below}
            />
          </Section>
          <Section id="mistakes" title="Mistakes with the highest loss">
            {data.mistakes.length === 0 ? (
              <p>There are none: every picture was classified right.</p>
            ) : (
              <>
                <p>
                  The pictures with the highest loss. Wrong labels are often among them: mark those, and the list below
                  says which files to move.
                </p>
                <Pictures pictures={data.mistakes} sourceOf={sourceOf} below={below} />
              </>
            )}
          </Section>
          <Section id="uncertain" title="Least certain">
            <p>The pictures whose most probable class was the least probable.</p>
            <Pictures pictures={data.uncertain} sourceOf={sourceOf} below={below} />
          </Section>
          <MarkList marks={marks} />
          <Section id="classes" title="Class by class">
            <ClassTable classes={data.evaluation.perClass} />
          </Section>
          <Section id="calibration" title="Calibration">
            <Reliability calibration={data.evaluation.calibration} />
          </Section>
        </>
      )}
    </div>
  );
}
