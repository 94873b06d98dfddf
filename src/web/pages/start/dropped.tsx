import { useRef, useState } from "preact/hooks";
import { addPicture } from "../../api/start.js";

interface DroppedClass {
  readonly name: string;
  readonly added: number;
}

interface DroppedProps {
  /** There are more pictures in the set's folder. */
  changed(path: string): void;
}

/** Classes that are made here: pictures dropped on one go into its folder. */
export function Dropped({ changed }: DroppedProps) {
  const [set] = useState(() => `dropped-${new Date().toISOString().slice(0, 19).replaceAll(/[T:]/g, "-")}`);
  const [classes, setClasses] = useState<readonly DroppedClass[]>([]);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string>();
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === "" || classes.some((one) => one.name === trimmed)) return;
    setClasses([...classes, { name: trimmed, added: 0 }]);
    setName("");
  };
  const take = async (label: string, files: readonly File[]): Promise<void> => {
    setProblem(undefined);
    let path: string | undefined;
    for (const file of files) {
      try {
        ({ path } = await addPicture(set, label, file));
        setClasses((all) => all.map((one) => (one.name === label ? { ...one, added: one.added + 1 } : one)));
      } catch (error) {
        setProblem(`${file.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (path !== undefined) changed(path);
  };
  return (
    <div class="stack">
      <form class="row" onSubmit={add}>
        <input
          type="text"
          placeholder="Name of a class, such as rose"
          aria-label="Name of a class"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        <button type="submit" class="button" disabled={name.trim() === ""}>
          Add class
        </button>
      </form>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      <ul class="dropped">
        {classes.map((one) => (
          <Target key={one.name} target={one} take={(files) => void take(one.name, files)} />
        ))}
      </ul>
    </div>
  );
}

function Target({
  target: { name, added },
  take,
}: {
  readonly target: DroppedClass;
  take(files: readonly File[]): void;
}) {
  const [over, setOver] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <li
      class={over ? "over" : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <strong>{name}</strong>
      <span class="soft">{added === 0 ? "drop pictures here" : `${added} added`}</span>
      <button type="button" class="button small" onClick={() => chooser.current?.click()}>
        Choose
      </button>
      <input
        ref={chooser}
        class="hidden"
        type="file"
        accept="image/*"
        multiple
        tabIndex={-1}
        aria-label={`Pictures of ${name}`}
        onChange={({ currentTarget }) => {
          take([...(currentTarget.files ?? [])]);
          currentTarget.value = "";
        }}
      />
    </li>
  );
}
