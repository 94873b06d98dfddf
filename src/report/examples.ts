import type { LabelledPrediction } from "../evaluation/evaluate.js";
import { Purpose, permutation } from "../random.js";
import { confidence, isCorrect } from "../scoring/prediction.js";
import type { Example } from "./data.js";
import type { PictureTaker } from "./pictures.js";

const SHOWN = 24;
const EXAMPLES = 8; // as in the paper's figure 4

/** The mistakes that cost the most loss: sure of another class, and the right one improbable. */
export function worstMistakes(predictions: readonly LabelledPrediction[]): readonly LabelledPrediction[] {
  return predictions
    .filter((prediction) => !isCorrect(prediction))
    .sort((a, b) => a.labelProbability - b.labelProbability || confidence(b) - confidence(a))
    .slice(0, SHOWN);
}

export function leastCertain(predictions: readonly LabelledPrediction[]): readonly LabelledPrediction[] {
  return [...predictions].sort((a, b) => confidence(a) - confidence(b)).slice(0, SHOWN);
}

/** Eight pictures drawn at random, of as many classes as there are, with their five best labels. */
export async function takeExamples(
  predictions: readonly LabelledPrediction[],
  classes: readonly string[],
  pictures: PictureTaker,
): Promise<readonly Example[]> {
  const examples: Example[] = [];
  for (const prediction of drawExamples(predictions)) {
    const picture = await pictures.take(prediction);
    if (picture === undefined) continue;
    const best = prediction.best.map((output, i) => ({
      name: classes[output] ?? "nothing",
      probability: prediction.probabilities[i] ?? 0,
      isLabel: output === prediction.label,
    }));
    examples.push({ picture, best });
  }
  return examples;
}

function drawExamples(predictions: readonly LabelledPrediction[]): readonly LabelledPrediction[] {
  const order = [...permutation(predictions.length, Purpose.shuffle)].flatMap((i) => predictions[i] ?? []);
  const seen = new Set<number>();
  const ofNewClass = order.filter(({ label }) => !seen.has(label) && seen.add(label));
  const rest = order.filter((prediction) => !ofNewClass.includes(prediction));
  return [...ofNewClass, ...rest.slice(0, EXAMPLES)].slice(0, EXAMPLES);
}
