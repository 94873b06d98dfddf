import { useEffect, useState } from "preact/hooks";
import type { ShownPicture } from "../../../report/data.js";
import type { Mark } from "../../../server/api-types.js";
import { marksOf, setMark } from "../../api/pictures.js";
import { Download } from "../../components/download.js";
import { Section } from "../../components/section.js";
import { Table } from "../../components/table.js";

/** Pictures that somebody says are in the wrong class; the server keeps them. */
export interface Marks {
  readonly list: readonly Mark[];
  readonly problem: string | undefined;
  toggle(picture: ShownPicture): Promise<void>;
}

export function useMarks(id: string): Marks {
  const [list, setList] = useState<readonly Mark[]>([]);
  const [problem, setProblem] = useState<string>();
  const load = (signal?: AbortSignal): Promise<void> =>
    marksOf(id, signal).then(setList, (error: Error) => {
      if (!signal?.aborted) setProblem(error.message);
    });
  useEffect(() => {
    const stop = new AbortController();
    void load(stop.signal);
    return () => stop.abort();
  }, [id]);
  const toggle = async (picture: ShownPicture): Promise<void> => {
    try {
      await setMark(id, picture.id, !list.some(({ n }) => n === picture.id));
      setProblem(undefined);
      await load();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return { list, problem, toggle };
}

export function MarkButton({ marks, picture }: { readonly marks: Marks; readonly picture: ShownPicture }) {
  const isMarked = marks.list.some(({ n }) => n === picture.id);
  return (
    <button
      type="button"
      class="link"
      aria-pressed={isMarked}
      aria-label={`${isMarked ? "marked wrong" : "wrong label"}: ${picture.file}`}
      onClick={() => void marks.toggle(picture)}
    >
      {isMarked ? "marked wrong" : "wrong label"}
    </button>
  );
}

export function MarkList({ marks: { list, problem } }: { readonly marks: Marks }) {
  return (
    <Section
      id="marks"
      title="Marked as wrong labels"
      tools={
        list.length > 0 && (
          <Download name="wrong-labels.txt" content={() => `${list.map(({ file }) => file).join("\n")}\n`}>
            List of files
          </Download>
        )
      }
    >
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      {list.length === 0 ? (
        <p class="soft">None are marked. What you mark stays marked, and can be written out as a list.</p>
      ) : (
        <Table
          label="Marked as wrong labels"
          file="wrong-labels"
          rows={list}
          keyOf={({ n }) => n}
          columns={[
            { name: "picture", value: ({ file }) => file },
            { name: "label", value: ({ label }) => label, text: true },
          ]}
        />
      )}
    </Section>
  );
}
