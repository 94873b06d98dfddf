import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { enumerate, thousands } from "../../text.js";
import "../style/tokens.css";
import "../style/base.css";
import "../style/parts.css";
import "./page.css";
import { type Classifier, openInBrowser } from "./classifier.js";
import { Classify } from "./classify.js";

type State =
  | { readonly kind: "loading"; readonly share?: number }
  | { readonly kind: "ready"; readonly classifier: Classifier; readonly classes: readonly string[] }
  | { readonly kind: "failed"; readonly problem: string };

/** A page that a static host serves: the network lies beside it, and computes in the browser. */
function Page() {
  const [state, setState] = useState<State>({ kind: "loading" });
  useEffect(() => {
    const place = { model: "model.onnx", description: "model.json" };
    openInBrowser(place, (share) =>
      setState((now) => (now.kind === "loading" ? { kind: "loading", share } : now)),
    ).then(
      (classifier) => setState({ kind: "ready", classifier, classes: classifier.classes }),
      (error: unknown) => setState({ kind: "failed", problem: error instanceof Error ? error.message : String(error) }),
    );
  }, []);
  return (
    <div class="page">
      <header>
        <h1>What is on the picture?</h1>
        <Status state={state} />
      </header>
      <main>
        <Classify classifier={state.kind === "ready" ? state.classifier : undefined} />
      </main>
      <footer>
        <p>
          An AlexNet, trained with alexnet. It computes in your browser: pictures are sent nowhere, and the page works
          without a connection once the network is loaded.
        </p>
      </footer>
    </div>
  );
}

function Status({ state }: { readonly state: State }) {
  if (state.kind === "failed")
    return (
      <p class="wrong" role="alert">
        The network can't be loaded: {state.problem}
      </p>
    );
  if (state.kind === "ready")
    return (
      <p class="soft" role="status">
        {thousands(state.classes.length)} classes: {enumerate(state.classes, 6)}.
      </p>
    );
  const { share } = state;
  return (
    <p class="soft loading" role="status">
      <progress max="1" value={share} aria-label="Loading the network" /> Loading the network
      {share === undefined ? "" : `: ${Math.round(100 * share)} %`}
    </p>
  );
}

const place = document.getElementById("page");
if (place) render(<Page />, place);
