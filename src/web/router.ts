import { useEffect, useState } from "preact/hooks";

/** Where the reader is: what stands behind the # of the address, so that it works under any path, and reloads. */
export interface Place {
  /** "#/runs/first?tab=1" has the parts "runs" and "first". */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const change = (): void => setPlace(read());
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return place;
}

/** The address of a place in the app: `href("runs", id)`. */
export function href(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** Changes what stands behind the ?, without a new entry in the browser's history. */
export function setQuery(name: string, value: string): void {
  const { parts, query } = read();
  if (value === "") query.delete(name);
  else query.set(name, value);
  const text = query.toString();
  history.replaceState(null, "", `${href(...parts)}${text === "" ? "" : `?${text}`}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
