import { useEffect, useState } from "preact/hooks";
import { thousands } from "../../../text.js";
import { type FolderListing, listFolder } from "../../api/start.js";

interface FoldersProps {
  readonly chosen: string | undefined;
  choose(path: string): void;
}

/** A way through the folders that the server lets be seen. */
export function Folders({ chosen, choose }: FoldersProps) {
  const [path, setPath] = useState<string>();
  const [listing, setListing] = useState<FolderListing>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const stop = new AbortController();
    listFolder(path, stop.signal).then(
      (found) => {
        setListing(found);
        setProblem(undefined);
      },
      (error: Error) => {
        if (!stop.signal.aborted) setProblem(error.message);
      },
    );
    return () => stop.abort();
  }, [path]);
  return (
    <div class="folders">
      <div class="head">
        <code class="folder-path">{listing?.path ?? "\u00a0"}</code>
        <div class="row">
          <button
            type="button"
            class="button small"
            disabled={listing === undefined || listing.parent === null}
            onClick={() => setPath(listing?.parent ?? undefined)}
          >
            Up
          </button>
          <button
            type="button"
            class="button small primary"
            disabled={listing === undefined}
            onClick={() => listing && choose(listing.path)}
          >
            {listing !== undefined && chosen === listing.path ? "Chosen" : "Use this folder"}
          </button>
        </div>
      </div>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      <ul class="folder-list">
        {listing?.folders.map((folder) => (
          <li key={folder.path}>
            <button type="button" onClick={() => setPath(folder.path)}>
              <svg viewBox="0 0 20 16" aria-hidden="true">
                <path d="M1 3a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2z" />
              </svg>
              {folder.name}
            </button>
          </li>
        ))}
        {listing !== undefined && listing.folders.length === 0 && (
          <li class="soft">
            {listing.pictures > 0 ? `${thousands(listing.pictures)} pictures, no folders` : "nothing in it"}
          </li>
        )}
      </ul>
    </div>
  );
}
