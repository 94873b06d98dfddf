import { useEffect } from "preact/hooks";
import type { RunCard } from "../../server/api-types.js";
import { useGet } from "../api/client.js";
import { Empty, Problem } from "../components/states.js";
import { href } from "../router.js";

interface RunChooserProps {
  /** The page that is about one run. */
  readonly page: string;
  readonly id: string | undefined;
  /** What the page will show when there is a run. */
  readonly empty: string;
}

/** Which run a page is about; by default the one that changed last. */
export function RunChooser({ page, id, empty }: RunChooserProps) {
  const { data, problem } = useGet<readonly RunCard[]>("api/runs");
  const usable = data?.filter(({ epoch, state }) => epoch > 0 && !state.startsWith("damaged"));
  const first = usable?.[0]?.id;
  useEffect(() => {
    if (id === undefined && first !== undefined) location.replace(href(page, first));
  }, [id, first]);
  if (problem !== undefined) return <Problem title={problem} />;
  if (usable?.length === 0)
    return (
      <Empty title="No run has finished an epoch yet.">
        <p>{empty}</p>
        <a class="button primary" href="#/start">
          Start one
        </a>
      </Empty>
    );
  return (
    <label class="row">
      <span class="soft">Run</span>
      <select
        aria-label="Run"
        value={id}
        disabled={usable === undefined}
        onChange={({ currentTarget }) => {
          location.hash = href(page, currentTarget.value);
        }}
      >
        {usable?.map((run) => (
          <option key={run.id} value={run.id}>
            {run.name}
          </option>
        ))}
      </select>
    </label>
  );
}
