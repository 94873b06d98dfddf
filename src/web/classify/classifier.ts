import { BrowserModel, type ModelPlace } from "../browser-model/browser-model.js";

export interface Prediction {
  readonly class: string;
  readonly probability: number;
}

export interface Answer {
  /** The most probable class first. */
  readonly predictions: readonly Prediction[];
  readonly milliseconds: number;
}

/** Whatever says what a picture shows. */
export interface Classifier {
  /** What a reader is told of it: "in this browser, 4 threads". */
  readonly place: string;
  /** @param views 1 or 10, their probabilities averaged */
  classify(picture: Blob, views: number): Promise<Answer>;
  close(): void;
}

const SHOWN = 5;

/** A network that is downloaded, and then computes in the page: nothing leaves the machine. */
export async function openInBrowser(
  place: ModelPlace,
  tell: (share: number | undefined) => void,
): Promise<Classifier & { readonly classes: readonly string[] }> {
  const model = new BrowserModel(tell);
  try {
    await model.load(place);
  } catch (error) {
    model.close();
    throw error;
  }
  const { classes, threads } = model;
  return {
    classes,
    place: `in this browser, ${threads} ${threads === 1 ? "thread" : "threads"}`,
    classify: async (picture, views) => {
      const { probabilities, milliseconds } = await model.classify(picture, views);
      return { predictions: best(probabilities, classes), milliseconds };
    },
    close: () => model.close(),
  };
}

function best(probabilities: Float64Array, classes: readonly string[]): readonly Prediction[] {
  return Array.from(probabilities, (probability, i) => ({ class: classes[i] ?? "", probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN);
}
