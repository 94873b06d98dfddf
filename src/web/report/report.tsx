import type { ReportData, ShownPicture } from "../../report/data.js";
import { cellKey } from "../../scoring/confusion.js";
import { wilsonInterval } from "../../scoring/interval.js";
import { thousands } from "../../text.js";
import { Bars } from "../components/bars.js";
import { ClassTable } from "../components/class-table.js";
import { EpochTable } from "../components/epoch-table.js";
import { Matrix } from "../components/matrix.js";
import { Pictures, THUMBNAIL } from "../components/pictures.js";
import { Reliability } from "../components/reliability.js";
import { Section, Tile } from "../components/section.js";
import { TrainingCurves } from "../components/training-curves.js";
import { share, shareRange } from "../format.js";
import { Settings } from "./settings.js";

/** What can be said of a trained network, one section after the other. */
export function Report({ data }: { readonly data: ReportData }) {
  const { title, subtitle, version, date, evaluation, training, filters } = data;
  const sourceOf = ({ id }: ShownPicture): string => data.pictures[id] ?? "";
  const sections = [
    ...(training === undefined ? [] : [["curves", "Training"]]),
    ["confusion", "Confusion"],
    ["mistakes", "Mistakes with the highest loss"],
    ["uncertain", "Least certain"],
    ["classes", "Class by class"],
    ["calibration", "Calibration"],
    ...(filters === undefined ? [] : [["filters", "What the first layer looks for"]]),
    ["examples", "Eight pictures and their five best labels"],
    ["settings", "Settings and environment"],
  ] as [id: string, title: string][];
  const named = (id: string) => ({ id, title: sections.find(([own]) => own === id)?.[1] ?? "" });
  return (
    <div class="report">
      <header>
        <h1>{title}</h1>
        <p class="soft">{subtitle}</p>
        <Tiles evaluation={evaluation} />
        {data.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </header>
      <nav aria-label="Sections">
        <ul>
          {sections.map(([id, name]) => (
            <li key={id}>
              <a href={`#${id}`}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
      <main>
        {training && (
          <Section {...named("curves")}>
            <p>
              Training is measured as it goes, on pictures cropped and coloured at random and with dropout; validation
              after each epoch, on whole centre crops. So the training curve may well lie above the other.
              {training.curves.rates.length > 0 &&
                " A dashed line stands where the learning rate changed, under its new value."}
            </p>
            <TrainingCurves curves={training.curves} description={describe(training.epochs)} />
            <EpochTable epochs={training.epochs} />
          </Section>
        )}
        <Section {...named("confusion")}>
          <Matrix
            classes={evaluation.perClass}
            confusion={evaluation.confusion}
            picturesOf={(cell) => data.cells[cellKey(cell)] ?? []}
            sourceOf={sourceOf}
          />
        </Section>
        <Section {...named("mistakes")}>
          {data.mistakes.length === 0 ? (
            <p>There are none: every picture was classified right.</p>
          ) : (
            <>
              <p>
                The pictures with the highest loss: their true class got the lowest probability. Wrong labels are often
                among them.
              </p>
              <Pictures pictures={data.mistakes} sourceOf={sourceOf} />
            </>
          )}
        </Section>
        <Section {...named("uncertain")}>
          <p>The pictures whose most probable class was the least probable.</p>
          <Pictures pictures={data.uncertain} sourceOf={sourceOf} />
        </Section>
        <Section {...named("classes")}>
          <ClassTable classes={evaluation.perClass} />
        </Section>
        <Section {...named("calibration")}>
          <Reliability calibration={evaluation.calibration} />
        </Section>
        {filters && (
          <Section {...named("filters")}>
            <p>
              The {filters.count} filters of {filters.layer}, {filters.shape}, each scaled to its own range, as in
              figure 3 of the paper. A layer that has learned shows edges of all directions and blobs of colour; one
              that has not shows noise.
            </p>
            <img
              class="filters pixelated"
              src={filters.source}
              width={filters.width}
              height={filters.height}
              alt={`The ${filters.count} filters of ${filters.layer}`}
            />
          </Section>
        )}
        <Section {...named("examples")}>
          <p>Drawn at random, as in figure 4 of the paper. The correct label's bar is green, and marked with a tick.</p>
          <ul class="examples">
            {data.examples.map(({ picture, best }) => (
              <li key={picture.id}>
                <figure>
                  <img
                    src={sourceOf(picture)}
                    alt={picture.file}
                    title={picture.file}
                    width={THUMBNAIL}
                    height={THUMBNAIL}
                  />
                  <figcaption>{picture.label}</figcaption>
                </figure>
                <Bars bars={best} />
              </li>
            ))}
          </ul>
        </Section>
        <Section {...named("settings")}>
          <Settings settings={data.settings} />
        </Section>
      </main>
      <footer>
        <p>
          Written by alexnet {version} on <time dateTime={date}>{date.slice(0, 16).replace("T", " ")} UTC</time>, from{" "}
          {evaluation.checkpoint} and {evaluation.data}.
        </p>
      </footer>
    </div>
  );
}

function Tiles({ evaluation }: Pick<ReportData, "evaluation">) {
  const { samples, top1Correct, top5Correct, meanRecall, macroF1, loss, calibration, views, split, perClass } =
    evaluation;
  const error = (correct: number) => ({
    value: share((samples - correct) / samples),
    note: `95 %: ${shareRange(wilsonInterval(samples - correct, samples))}`,
  });
  const seen = views === 1 ? "centre view" : `${views} views averaged`;
  return (
    <ul class="tiles">
      <Tile label="top-1 error" {...error(top1Correct)} />
      {perClass.length > 5 && <Tile label="top-5 error" {...error(top5Correct)} />}
      <Tile label="mean recall" value={share(meanRecall)} note="each class counts the same" />
      <Tile label="macro F1" value={share(macroF1)} note="each class counts the same" />
      <Tile label="pictures" value={thousands(samples)} note={`${split}, ${seen}`} />
      <Tile label="loss" value={loss.toFixed(3)} note="nats a picture" />
      <Tile label="calibration error" value={share(calibration.expectedError)} note="15 bins" />
    </ul>
  );
}

function describe(epochs: NonNullable<ReportData["training"]>["epochs"]): string {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (first === undefined || last === undefined) return "no epoch has ended yet";
  return `training loss from ${first.loss.toFixed(2)} after the first to ${last.loss.toFixed(2)} after epoch ${last.epoch}`;
}
