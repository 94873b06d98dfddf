import { useState } from "preact/hooks";
import { api } from "../../api/client.js";
import { Section } from "../../components/section.js";

/** Some pictures as the network is shown them now: cropped, mirrored, coloured. @param step changes when there are others */
export function Batch({ id, step }: { readonly id: string; readonly step: number }) {
  const [turn, setTurn] = useState(0);
  const [missing, setMissing] = useState(false);
  const source = `${api("runs", id, "batch")}?turn=${step + turn}`;
  return (
    <Section
      id="batch"
      title="What the network sees now"
      tools={
        <button type="button" class="button small" onClick={() => setTurn(turn + 1)}>
          Others
        </button>
      }
    >
      <p>
        Pictures of the step under way, as they reach the first layer: cropped at a random place, mirrored half of the
        time, their colours shifted along what varies most in the set.
      </p>
      {missing ? (
        <p class="soft">There is no batch to be seen yet.</p>
      ) : (
        <img
          class="batch-sheet"
          src={source}
          alt="A sheet of the batch's pictures"
          onError={() => setMissing(true)}
          onLoad={() => setMissing(false)}
        />
      )}
    </Section>
  );
}
