import type { Classification, Prediction } from "../../evaluation/classify.js";
import { type ClassificationFormat, classificationFormats } from "../../evaluation/classify-to-file.js";
import { displayWidth, padEnd } from "./layout.js";
import { percent, printable, printJson } from "./print.js";

/** How results are printed, each as soon as it is there. */
export interface ClassificationOutput {
  add(result: Classification): void;
  end(): void;
}

/** @param format bars where there is none @param top classes of each picture */
export function classificationOutput(
  format: ClassificationFormat | "json" | undefined,
  top: number,
): ClassificationOutput {
  if (format === undefined) return new BarOutput();
  return format === "json" ? new JsonOutput() : new LineOutput(format, top);
}

const BAR_WIDTH = 30;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

class BarOutput implements ClassificationOutput {
  add(result: Classification): void {
    if ("error" in result) return;
    const width = Math.max(...result.predictions.map((prediction) => displayWidth(printable(prediction.class))));
    console.log(result.file);
    for (const prediction of result.predictions)
      console.log(
        `  ${padEnd(printable(prediction.class), width)}  ${bar(prediction)}  ${percent(prediction.probability).padStart(7)}`,
      );
  }

  end(): void {}
}

function bar({ probability }: Prediction): string {
  const length = Math.round(probability * BAR_WIDTH * 8);
  return ("█".repeat(Math.floor(length / 8)) + eighths[length % 8]).padEnd(BAR_WIDTH);
}

class JsonOutput implements ClassificationOutput {
  readonly #results: Classification[] = [];

  add(result: Classification): void {
    this.#results.push(result);
  }

  end(): void {
    printJson(this.#results);
  }
}

class LineOutput implements ClassificationOutput {
  constructor(
    readonly format: ClassificationFormat,
    readonly top: number,
  ) {
    process.stdout.write(classificationFormats[format].head(top));
  }

  add(result: Classification): void {
    process.stdout.write(classificationFormats[this.format].line(result, this.top));
  }

  end(): void {}
}
