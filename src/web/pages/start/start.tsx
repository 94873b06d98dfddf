import { useEffect, useState } from "preact/hooks";
import { byteSize, clock, thousands } from "../../../text.js";
import {
  type Estimate,
  estimate,
  type FolderPreview,
  previewFolder,
  type SettingRow,
  settingRows,
  startRun,
  type Values,
} from "../../api/start.js";
import { Section } from "../../components/section.js";
import { Loading, Problem } from "../../components/states.js";
import { figure, share } from "../../format.js";
import { href } from "../../router.js";
import { Dropped } from "./dropped.js";
import { Folders } from "./folders.js";
import { SettingsForm } from "./settings-form.js";
import "./start.css";

const PATIENCE = 400; // milliseconds after the last change of a setting
const UNEVEN = 4; // times as many pictures in the largest class as in the smallest

/** From a folder of pictures to a run, in three steps. */
export function StartPage() {
  const [folder, setFolder] = useState<string>();
  const [own, setOwn] = useState(false);
  const [preview, setPreview] = useState<FolderPreview>();
  const [problem, setProblem] = useState<string>();
  const [rows, setRows] = useState<readonly SettingRow[]>();
  const [values, setValues] = useState<Values>({});
  const [name, setName] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    settingRows(stop.signal).then(setRows, (error: Error) => {
      if (!stop.signal.aborted) setProblem(error.message);
    });
    return () => stop.abort();
  }, []);
  useEffect(() => {
    if (folder === undefined) return;
    const stop = new AbortController();
    setPreview(undefined);
    previewFolder(folder, stop.signal).then(
      (found) => {
        setPreview(found);
        setProblem(undefined);
      },
      (error: Error) => {
        if (!stop.signal.aborted) setProblem(error.message);
      },
    );
    return () => stop.abort();
  }, [folder, turn]);
  const usable = preview !== undefined && preview.classes.length >= 2;
  return (
    <div class="stack">
      <div class="title">
        <h1>Start a run</h1>
      </div>
      <Section
        id="pictures"
        title="1. Pictures"
        tools={
          <fieldset class="switch">
            <legend class="hidden">Where the pictures are</legend>
            <button type="button" aria-pressed={!own} onClick={() => setOwn(false)}>
              a folder of this machine
            </button>
            <button type="button" aria-pressed={own} onClick={() => setOwn(true)}>
              drop them here
            </button>
          </fieldset>
        }
      >
        <p>
          One folder for each class, named as the class: <code>flowers/rose/</code>, <code>flowers/tulip/</code>, …
        </p>
        {own ? (
          <Dropped
            changed={(path) => {
              setFolder(path);
              setTurn((last) => last + 1);
            }}
          />
        ) : (
          <Folders chosen={folder} choose={setFolder} />
        )}
        {folder !== undefined && problem === undefined && (preview ? <Preview preview={preview} /> : <Loading />)}
      </Section>
      {problem !== undefined && <Problem title={problem} />}
      <Section id="network" title="2. Network and recipe">
        {rows === undefined ? (
          <Loading height="20rem" />
        ) : (
          <SettingsForm rows={rows} values={values} change={setValues} />
        )}
      </Section>
      <Section id="start" title="3. Start">
        <Begin ready={usable} folder={folder} values={values} name={name} setName={setName} />
      </Section>
    </div>
  );
}

function Preview({ preview: { classes, pictures, warnings, sheet } }: { readonly preview: FolderPreview }) {
  if (classes.length === 0)
    return <p class="placeholder">There are no folders of pictures in it: choose the one above the classes.</p>;
  const most = Math.max(...classes.map((one) => one.pictures));
  const least = Math.min(...classes.map((one) => one.pictures));
  return (
    <div class="preview">
      <h3>
        {thousands(pictures)} pictures in {thousands(classes.length)} classes
      </h3>
      {least > 0 && most > UNEVEN * least && (
        <p class="notice">
          The largest class has {figure(most / least, 2)} times as many pictures as the smallest: the network will lean
          towards it. More pictures of the small ones help.
        </p>
      )}
      {classes.length === 1 && <p class="notice">One class alone teaches nothing: there must be two at least.</p>}
      {warnings.map((warning) => (
        <p key={warning} class="notice">
          {warning}
        </p>
      ))}
      <ol class="bars neutral class-bars">
        {classes.map(({ name, pictures: count }) => (
          <li key={name}>
            <span class="bar" style={{ width: `${(100 * count) / most}%` }} />
            <span class="name">{name}</span>
            <span class="share">
              {thousands(count)} <span class="hidden">pictures, {share(count / pictures)}</span>
            </span>
          </li>
        ))}
      </ol>
      {sheet !== undefined && <img class="contact-sheet" src={sheet} alt="Some pictures of each class" />}
    </div>
  );
}

interface BeginProps {
  readonly ready: boolean;
  readonly folder: string | undefined;
  readonly values: Values;
  readonly name: string;
  setName(name: string): void;
}

function Begin({ ready, folder, values, name, setName }: BeginProps) {
  const [guess, setGuess] = useState<Estimate>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (!ready || folder === undefined) return;
    const stop = new AbortController();
    const timer = setTimeout(
      () =>
        estimate(folder, values, stop.signal).then(
          (answer) => {
            setGuess(answer);
            setProblem(undefined);
          },
          (error: Error) => {
            if (!stop.signal.aborted) setProblem(error.message);
          },
        ),
      PATIENCE,
    );
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [ready, folder, values]);
  const start = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (folder === undefined) return;
    setBusy(true);
    try {
      const { id } = await startRun(folder, name, values);
      location.hash = href("run", id);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  const tight = guess !== undefined && guess.memoryBytes > guess.freeBytes;
  return (
    <form class="begin" onSubmit={start}>
      <label class="field">
        <span>Name of the run</span>
        <input
          type="text"
          value={name}
          placeholder="made of the date where you give none"
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          title="letters, digits, dots, dashes"
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <p class="soft begin-guess" role="status">
        {!ready && "Choose pictures first: two classes at least."}
        {ready && guess === undefined && problem === undefined && "Measuring what it will take on this machine …"}
        {guess !== undefined && (
          <>
            {guess.network}, recipe {guess.recipe}: {guess.epochs} epochs, {guess.batchSize} pictures a step,{" "}
            {thousands(guess.parameters)} parameters. About <strong>{clock(guess.seconds)}</strong> at{" "}
            {figure(guess.picturesPerSecond, 3)} pictures/s, and <strong>{byteSize(guess.memoryBytes)}</strong> of
            memory, of which {byteSize(guess.freeBytes)} are free.
          </>
        )}
      </p>
      {tight && (
        <p class="notice">That is more memory than is free: fewer pictures a step, or a smaller width, take less.</p>
      )}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      <div>
        <button type="submit" class="button primary" disabled={!ready || busy}>
          {busy ? "Starting …" : "Start training"}
        </button>
      </div>
    </form>
  );
}
