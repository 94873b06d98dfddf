import type { ReportData } from "../../report/data.js";
import { thousands } from "../../text.js";
import { Facts } from "../components/section.js";
import { Table } from "../components/table.js";

/** What was trained, how and on what. */
export function Settings({ settings: { facts, layers, config, sessions } }: Pick<ReportData, "settings">) {
  return (
    <>
      <Facts facts={facts} />
      <details>
        <summary>Layers</summary>
        <Table
          label="Layers"
          file="layers"
          rows={layers}
          keyOf={({ name }) => name}
          columns={[
            { name: "layer", value: ({ name }) => name },
            { name: "kind", value: ({ kind }) => kind, text: true },
            { name: "output", value: ({ output }) => output },
            {
              name: "parameters",
              value: ({ parameters }) => parameters,
              show: ({ parameters }) => (parameters === 0 ? "" : thousands(parameters)),
            },
          ]}
        />
      </details>
      {config !== undefined && <Json title="All settings" value={config} />}
      {sessions.length > 0 && <Json title="Environment" value={sessions} />}
    </>
  );
}

function Json({ title, value }: { readonly title: string; readonly value: unknown }) {
  return (
    <details>
      <summary>{title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>{JSON.stringify(value, undefined, 2)}</pre>
    </details>
  );
}
