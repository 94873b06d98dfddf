import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../components/states.js";
import { type Place, usePlace } from "../router.js";
import { Logo } from "./logo.js";

interface PageProps {
  readonly place: Place;
}

interface Entry {
  readonly title: string;
  /** In the bar at the top. */
  readonly listed?: boolean;
  load(): Promise<ComponentType<PageProps>>;
}

/** By the first part of the address; each page's code is loaded when it is first looked at. */
const pages: Readonly<Record<string, Entry>> = {
  runs: { title: "Runs", listed: true, load: async () => (await import("../pages/runs/runs.js")).RunsPage },
  run: { title: "Run", load: async () => (await import("../pages/run/run.js")).RunPage },
  compare: { title: "Compare", load: async () => (await import("../pages/compare/compare.js")).ComparePage },
  start: { title: "Start", listed: true, load: async () => (await import("../pages/start/start.js")).StartPage },
  classify: {
    title: "Classify",
    listed: true,
    load: async () => (await import("../pages/classify/classify.js")).ClassifyPage,
  },
  explore: {
    title: "Explore",
    listed: true,
    load: async () => (await import("../pages/explore/explore.js")).ExplorePage,
  },
  paper: { title: "The paper", listed: true, load: async () => (await import("../pages/paper/paper.js")).PaperPage },
};

export function App() {
  const place = usePlace();
  const [name = "runs"] = place.parts;
  const entry = pages[name];
  useEffect(() => {
    document.title = `${entry?.title ?? "No such page"} · alexnet`;
    scrollTo(0, 0);
  }, [name]);
  const main = useRef<HTMLElement>(null);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="bar">
        <div>
          <a class="brand" href="#/runs">
            <Logo />
            alexnet
          </a>
          <nav aria-label="Pages">
            <ul>
              {Object.entries(pages)
                .filter(([, { listed }]) => listed)
                .map(([key, { title }]) => (
                  <li key={key}>
                    <a
                      href={`#/${key}`}
                      aria-current={key === (name === "run" || name === "compare" ? "runs" : name) ? "page" : undefined}
                    >
                      {title}
                    </a>
                  </li>
                ))}
            </ul>
          </nav>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {entry === undefined ? (
          <Problem title="There is no such page.">
            <a href="#/runs">All runs</a>
          </Problem>
        ) : (
          <Loaded key={name} entry={entry} place={place} />
        )}
      </main>
    </>
  );
}

function Loaded({ entry, place }: PageProps & { readonly entry: Entry }) {
  const [page, setPage] = useState<{ readonly Page: ComponentType<PageProps> }>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    entry.load().then(
      (Page) => setPage({ Page }),
      () => setProblem("The server can't be reached: start it again, and reload this page."),
    );
  }, [entry]);
  if (problem !== undefined) return <Problem title={problem} />;
  return page === undefined ? null : <page.Page place={place} />;
}
