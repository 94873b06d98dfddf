import type { SettingRow, Values } from "../../api/start.js";

interface SettingsFormProps {
  readonly rows: readonly SettingRow[];
  /** What somebody has set; the rest is as its help says. */
  readonly values: Values;
  change(values: Values): void;
}

const usual = ["network", "width", "recipe", "epochs", "batchSize", "learningRate"];

/** A field for each of a run's settings, those that are asked for the most first. */
export function SettingsForm({ rows, values, change }: SettingsFormProps) {
  const set = (name: string, value: string | number | boolean | undefined): void => {
    const { [name]: _, ...others } = values;
    change(value === undefined ? others : { ...others, [name]: value });
  };
  const field = (row: SettingRow) => (
    <Field key={row.name} row={row} value={values[row.name]} set={(value) => set(row.name, value)} />
  );
  const rest = rows.filter(({ name }) => !usual.includes(name));
  const groups = [...new Map(rest.map(({ group, heading }) => [group, heading]))];
  return (
    <>
      <p>Everything may stay as it is: what is left empty is chosen to suit the pictures and this machine.</p>
      <div class="form-grid">{rows.filter(({ name }) => usual.includes(name)).map(field)}</div>
      <details>
        <summary>All other settings</summary>
        {groups.map(([group, heading]) => (
          <fieldset key={group} class="group">
            <legend>{heading.replace(/:$/, "")}</legend>
            <div class="form-grid">{rest.filter((row) => row.group === group).map(field)}</div>
          </fieldset>
        ))}
      </details>
    </>
  );
}

interface FieldProps {
  readonly row: SettingRow;
  readonly value: string | number | boolean | undefined;
  set(value: string | number | boolean | undefined): void;
}

function Field({ row, value, set }: FieldProps) {
  const { name, help, kind, choices } = row;
  const title = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (kind === "switch")
    return (
      <label class="field">
        <span>{title}</span>
        <span class="row">
          <input
            type="checkbox"
            checked={value === undefined ? row.default === true : value === true}
            onChange={({ currentTarget }) =>
              set(currentTarget.checked === (row.default === true) ? undefined : currentTarget.checked)
            }
          />
          <span class="hint">{help}</span>
        </span>
      </label>
    );
  return (
    <div class="field">
      <label for={`setting-${name}`}>{title}</label>
      {kind === "choice" ? (
        <select
          id={`setting-${name}`}
          value={String(value ?? "")}
          onChange={({ currentTarget }) => set(currentTarget.value || undefined)}
        >
          <option value="">{row.default == null ? "chosen for you" : `${row.default} (default)`}</option>
          {choices?.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          id={`setting-${name}`}
          type={kind === "text" ? "text" : "number"}
          min={row.low}
          max={row.high}
          step={kind === "whole" ? 1 : "any"}
          list={choices === undefined ? undefined : `choices-${name}`}
          value={String(value ?? "")}
          placeholder={row.default == null ? "" : String(row.default)}
          onInput={({ currentTarget }) => {
            const text = currentTarget.value.trim();
            if (text === "") set(undefined);
            else set(kind === "text" ? text : Number(text));
          }}
        />
      )}
      {kind !== "choice" && choices !== undefined && (
        <datalist id={`choices-${name}`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
      <span class="hint">{help}</span>
    </div>
  );
}
