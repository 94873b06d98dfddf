import { useEffect, useState } from "preact/hooks";
import type { CheckpointEntry } from "../../../server/api-types.js";
import { thousands } from "../../../text.js";
import { api } from "../../api/client.js";
import { Section } from "../../components/section.js";

interface FiltersProps {
  readonly id: string;
  readonly checkpoints: readonly CheckpointEntry[];
}

/** The first layer's filters, at each of the checkpoints that are there. */
export function Filters({ id, checkpoints }: FiltersProps) {
  const [chosen, setChosen] = useState<number>();
  const last = checkpoints.length - 1;
  // Until somebody chooses, the latest: it moves on as there are more.
  const index = Math.min(chosen ?? last, last);
  const checkpoint = checkpoints[index];
  const source = (name: string): string => `${api("runs", id, "filters")}?checkpoint=${encodeURIComponent(name)}`;
  useEffect(() => {
    // The neighbours are fetched ahead, so that the slider shows a film and not a flicker.
    for (const neighbour of [checkpoints[index - 1], checkpoints[index + 1]])
      if (neighbour !== undefined) new Image().src = source(neighbour.name);
  }, [index, checkpoints]);
  return (
    <Section id="filters" title="What the first layer looks for">
      {checkpoint === undefined ? (
        <p class="soft">The first checkpoint shows the first filters.</p>
      ) : (
        <>
          <p>
            Each filter of the first layer, scaled to its own range, as in figure 3 of the paper: noise at first, then
            edges of all directions and blobs of colour.
          </p>
          {checkpoints.length > 1 && (
            <label class="slider">
              <input
                type="range"
                aria-label="Checkpoint"
                min="0"
                max={last}
                value={index}
                onInput={({ currentTarget }) =>
                  setChosen(currentTarget.valueAsNumber === last ? undefined : currentTarget.valueAsNumber)
                }
              />
              <output class="numbers">step {thousands(checkpoint.step)}</output>
            </label>
          )}
          <img
            class="filter-sheet pixelated"
            src={source(checkpoint.name)}
            alt={`The filters of the first layer after ${checkpoint.step} steps`}
          />
          <p>
            <a href={source(checkpoint.name)} download={`filters-${checkpoint.step}.png`}>
              Download as PNG
            </a>
          </p>
        </>
      )}
    </Section>
  );
}
