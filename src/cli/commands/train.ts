import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { AlexnetError } from "../../errors.js";
import { recipes } from "../../recipes/recipes.js";
import { resume, train } from "../../training/train.js";
import { printJson } from "../display/print.js";
import { TrainingDisplay } from "../display/training.js";
import {
  autoOr,
  cadence,
  choice,
  duration,
  ENGINE_HELP,
  factor,
  factors,
  fraction,
  PRECISION_HELP,
  positiveNumber,
  wholeNumber,
} from "../flags.js";
import { interruptible } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("train")
      .description("train a network on pictures, or go on with a run")
      .argument("[pictures]", "folders of classes (train/<class>/ and val/<class>/, or <class>/), or a prepared store")
      .option("--run <folder>", "where the run goes; default runs/<pictures>-<number>")
      .option("--resume <run>", "go on with this run, exactly where it was")
      .option("--override", "with --resume: let --epochs, --batch and --learning-rate change")
      .optionsGroup("What learns, and how:")
      .option("--network <name|file>", "a name of `alexnet networks`, or a JSON file; default paper")
      .option("--width <factor>", "maps of every layer, times this; default 1", positiveNumber(16))
      .option("--recipe <name>", `${Object.keys(recipes).join(" or ")}; default by the number of pictures`)
      .option("--epochs <count>", "times through the pictures; default the recipe's", wholeNumber(1))
      .option("--batch <pictures>", "pictures a step, or auto: what fits into memory", autoOr(wholeNumber(1)))
      .option("--learning-rate <rate>", "at the start; default the recipe's", positiveNumber())
      .option("--seed <number>", "decides every random draw; default 1", wholeNumber(0))
      .option("--time-budget <time>", "such as 2h: as many epochs as fit, up to --epochs", duration)
      .option("--early-stop <epochs>", "end after so many epochs without a lower error", wholeNumber(1))
      .optionsGroup("Going on from a trained network, on other pictures:")
      .option("--from <run|file>", "a run, a checkpoint, or a file that alexnet import reads")
      .option("--freeze <layers>", "layers that stay as they are: conv1..conv5, or several with commas between")
      .option("--head-lr <factor>", "times the learning rate for the last layer, such as 10x", factor)
      .option("--layer-lr <layers=factor>", "the same for others: conv1..conv3=0.1,fc7=2x", factors)
      .option("--no-augmentation", "see pictures' centres only; frozen layers' outputs are then kept on disk")
      .optionsGroup("Preparing a folder of pictures:")
      .option("--size <pixels>", "height and width of the prepared pictures; default 256", wholeNumber(8, 1024))
      .option("--encoding <name>", "raw, jpeg or auto; see prepare", choice(["auto", "raw", "jpeg"]))
      .option("--val-fraction <share>", "of each class, where there is no val/; default 0.1", fraction)
      .option("--allow-missing-classes", "go on when training and validation have different classes")
      .option("--allow-svg", "read SVG, which can refer to other files")
      .optionsGroup("The machine and the records:")
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]))
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--workers <count>", "threads that load pictures", wholeNumber(1))
      .option("--no-resident", "bring pictures to a GPU for each step, even where its memory has room for all")
      .option("--checkpoint-every <span>", "10m, 500 steps or 1 epoch; default 10m and each epoch", cadence)
      .option("--keep <count>", "newest checkpoints kept, besides the best; default 2", wholeNumber(1))
      .option("--metrics-every <steps>", "steps a row of metrics.jsonl", wholeNumber(1))
      .option("--json", "print the summary as JSON, and nothing else to stdout")
      .action(async (pictures, { json, ...options }) => {
        const display = new TrainingDisplay(json ? console.error : console.log);
        const onStop = "finishing what is under way and saving it";
        const summary = await interruptible(
          (signal) => {
            const { batch: batchSize, headLr: headRate, layerLr: layerRates, ...choices } = options;
            const augmentation = options.augmentation ? undefined : false;
            const resident = options.resident ? undefined : false;
            const common = {
              ...choices,
              batchSize,
              headRate,
              layerRates,
              augmentation,
              resident,
              signal,
              onEvent: display.update,
            };
            if (options.resume === undefined && options.override)
              throw new AlexnetError("invalid-option", "--override changes a run that goes on; name it with --resume");
            if (options.resume === undefined)
              return train({ ...common, data: required(pictures), ...preparing(options) });
            if (options.run !== undefined)
              throw new AlexnetError("invalid-option", "--resume goes on in the run's own folder; leave --run out");
            return resume({ ...common, run: options.resume, data: pictures });
          },
          display,
          { onStop },
        );
        if (json) printJson(summary);
      }),
  );
}

function required(pictures: string | undefined): string {
  if (pictures === undefined)
    throw new AlexnetError("invalid-option", "train: name the pictures, or a run to --resume; --help shows how");
  return pictures;
}

interface PreparingFlags {
  readonly size?: number;
  readonly encoding?: "auto" | "raw" | "jpeg";
  readonly valFraction?: number;
  readonly allowMissingClasses?: true;
  readonly allowSvg?: true;
}

function preparing({ size, encoding, valFraction, allowMissingClasses, allowSvg }: PreparingFlags) {
  return {
    preparation: {
      allowMissingClasses: allowMissingClasses === true,
      allowSvg: allowSvg === true,
      ...(size !== undefined && { size }),
      ...(encoding !== undefined && { encoding }),
      ...(valFraction !== undefined && { valFraction }),
    },
  };
}
