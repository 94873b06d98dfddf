/** A line of comma-separated values, quoted as RFC 4180 has it, with a line feed. */
export function csvLine(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => quoted(String(field))).join(",")}\n`;
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The whole lines of a text, each with its line feed; inside of quotes a line goes on. */
export function splitCsvLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open = "";
  for (const part of text.split("\n").slice(0, -1)) {
    open += `${part}\n`;
    if ((open.split('"').length - 1) % 2 === 1) continue;
    lines.push(open);
    open = "";
  }
  return lines;
}

/** The fields of a whole line. */
export function parseCsvLine(line: string): readonly string[] {
  const text = line.replace(/\r?\n$/, "");
  const field = /"((?:[^"]|"")*)"|[^,]*/y;
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at = field.lastIndex + 1) {
    field.lastIndex = at;
    const [plain = "", inQuotes] = field.exec(text) ?? [];
    fields.push(inQuotes?.replaceAll('""', '"') ?? plain);
  }
  return fields;
}
