import type { ComponentChildren } from "preact";

/** Hands the reader a file that was made here. */
export function saveFile(name: string, content: Blob | string, type = "text/plain"): void {
  const url = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Rows of a table as a file that spreadsheets read. */
export function csvOf(rows: readonly (readonly (string | number | undefined)[])[]): string {
  const cell = (value: string | number | undefined): string => {
    const text = value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
}

interface DownloadProps {
  readonly name: string;
  /** Made when it is asked for. */
  readonly content: () => Blob | string | Promise<Blob | string>;
  readonly type?: string;
  readonly children: ComponentChildren;
}

export function Download({ name, content, type, children }: DownloadProps) {
  return (
    <button
      type="button"
      class="button small"
      title={`Download ${name}`}
      onClick={async () => saveFile(name, await content(), type)}
    >
      {children}
    </button>
  );
}
