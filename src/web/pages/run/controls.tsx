import type { RunDetails } from "../../../server/api-types.js";
import { api, post } from "../../api/client.js";
import { Confirm } from "../../components/confirm.js";
import { stateWord } from "../run-state.js";

export type ControlAction = "pause" | "resume" | "save" | "stop" | "lower-rate";

interface ControlsProps {
  readonly run: RunDetails;
  changed(): void;
}

/** What can be done with a run that is under way; the server writes each into its log. */
export function Controls({ run, changed }: ControlsProps) {
  const act = (action: ControlAction) => async (): Promise<void> => {
    await post(api("runs", run.id, "control"), { action });
    changed();
  };
  const isPaused = stateWord(run.state).tone === "paused";
  return (
    <>
      {isPaused ? (
        <Confirm label="Resume" question={`Resume ${run.name}?`} act={act("resume")}>
          <p>It resumes with the very next step.</p>
        </Confirm>
      ) : (
        <Confirm label="Pause" question={`Pause ${run.name}?`} act={act("pause")}>
          <p>It stops after the step under way, keeps its memory, and goes on when you say so.</p>
        </Confirm>
      )}
      <Confirm label="Save now" question={`Save a checkpoint of ${run.name}?`} act={act("save")}>
        <p>It is written after the step under way; training goes on meanwhile.</p>
      </Confirm>
      <Confirm label="Lower the rate" question="Divide the learning rate by ten?" act={act("lower-rate")}>
        <p>
          From the next step on. The paper's authors did so by hand, three times, whenever the validation error stopped
          improving.
        </p>
      </Confirm>
      <Confirm label="Stop" question={`Stop ${run.name}?`} danger act={act("stop")}>
        <p>
          It saves a checkpoint and ends. It can be resumed from there later: <code>alexnet resume</code>.
        </p>
      </Confirm>
    </>
  );
}
