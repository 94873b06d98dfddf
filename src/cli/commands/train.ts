import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import type { TrainEvent } from "../../runs/events.js";
import { choiceShape, groups, preparationShape } from "../../runs/settings.js";
import { resume, train } from "../../training/train.js";
import { printJson } from "../display/print.js";
import { TrainingDisplay } from "../display/training.js";
import { addSettings, settingsGiven, settingsIn } from "../flags.js";
import { RunPage } from "../page.js";
import { interruptible } from "../run-task.js";
import { addTyped } from "../typed.js";

const preparation = settingsIn("preparation");
const choices = [
  ...settingsIn("learning"),
  ...settingsIn("recipe"),
  ...settingsIn("pretrained"),
  ...settingsIn("machine"),
];

export function register(program: Program): void {
  const command = new Command("train")
    .description("train a network on pictures, or resume a run")
    .argument("[pictures]", "folders of classes (train/<class>/ and val/<class>/, or <class>/), or a prepared store")
    .option("--run <folder>", "where the run goes; default runs/<pictures>-<number>")
    .option("--resume <run>", "resume this run exactly where it stopped")
    .option("--override", "with --resume: let --epochs, --batch and --learning-rate change");
  for (const group of ["learning", "recipe", "pretrained", "preparation", "machine"] as const)
    addSettings(command, settingsIn(group), true);
  addTyped(
    program,
    command
      .optionsGroup(groups.machine)
      .option("--open", "serve the run's page while it trains, and open it in the browser")
      .option("--json", "print the summary as JSON, and nothing else to stdout")
      .action(async (pictures, { run, resume: resumed, override, open, json }) => {
        const display = new TrainingDisplay(json ? console.error : console.log);
        const values = command.opts();
        const work = (signal: AbortSignal, page: RunPage) => {
          const chosen = z.object(choiceShape).parse(settingsGiven(values, choices));
          const onEvent = (event: TrainEvent): void => {
            display.update(event);
            if (open && event.kind === "starting") page.open(event.run);
          };
          const common = { ...chosen, signal, onEvent };
          if (resumed !== undefined) {
            if (run !== undefined)
              throw new AlexnetError("invalid-option", "--resume goes on in the run's own folder; leave --run out");
            return resume({ ...common, run: resumed, data: pictures, override });
          }
          if (override)
            throw new AlexnetError("invalid-option", "--override changes a run that goes on; name it with --resume");
          const data = required(pictures);
          const prepared = z.object(preparationShape).parse(settingsGiven(values, preparation));
          return train({ ...common, run, data, preparation: prepared });
        };
        let page: RunPage | undefined;
        const onStop = () => (page?.isStaying ? "closing the page" : "finishing what is under way and saving it");
        await interruptible(
          async (signal) => {
            page = new RunPage((line) => display.print(line), signal);
            try {
              const summary = await work(signal, page);
              if (json) printJson(summary);
              await page.stay();
            } finally {
              await page.close();
            }
          },
          display,
          { onStop },
        );
      }),
  );
}

function required(pictures: string | undefined): string {
  if (pictures === undefined)
    throw new AlexnetError("invalid-option", "train: name the pictures, or a run to --resume; --help shows how");
  return pictures;
}
