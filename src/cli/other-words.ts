import type { Command } from "commander";

/** What other programs call things, and what they are here. */
const commands: Readonly<Record<string, string>> = {
  predict: "classify",
  infer: "classify",
  inference: "classify",
  label: "classify",
  fit: "train",
  finetune: "train --from",
  "fine-tune": "train --from",
  resume: "train --resume",
  val: "evaluate",
  validate: "evaluate",
  eval: "evaluate",
  test: "evaluate",
  score: "evaluate",
  "lr-find": "find-learning-rate",
  lr_find: "find-learning-rate",
  visualise: "look",
  visualize: "look",
  explain: "look",
  search: "similar",
  embed: "features",
  embeddings: "features",
  list: "runs",
  ls: "runs",
  plot: "show",
  benchmark: "bench",
  convert: "export",
  models: "networks",
  version: "--version",
};

const options: Readonly<Record<string, readonly string[]>> = {
  lr: ["learning-rate"],
  lr0: ["learning-rate"],
  rate: ["learning-rate"],
  "base-lr": ["learning-rate"],
  "batch-size": ["batch"],
  bs: ["batch"],
  model: ["network", "from"],
  arch: ["network"],
  architecture: ["network"],
  pretrained: ["from"],
  weights: ["from", "checkpoint"],
  "num-epochs": ["epochs"],
  "max-epochs": ["epochs"],
  patience: ["early-stop"],
  device: ["engine"],
  gpu: ["engine"],
  cpu: ["engine"],
  dtype: ["precision"],
  fp16: ["precision"],
  amp: ["precision"],
  "num-workers": ["workers"],
  jobs: ["workers", "threads"],
  "img-size": ["size"],
  "image-size": ["size"],
  imgsz: ["size"],
  output: ["out", "run"],
  "output-dir": ["out", "run"],
  "out-dir": ["out", "run"],
  "save-dir": ["run", "out"],
  name: ["run"],
  project: ["run"],
  "val-split": ["val-fraction"],
  "validation-split": ["val-fraction"],
  topk: ["top"],
  "top-k": ["top"],
  tta: ["views"],
  k: ["count", "top"],
  overwrite: ["force"],
};

/** What commander prints of a mistake, with this program's word where another's was typed. */
export function withOurWord(text: string, command: Command): string {
  const [, typed] = /unknown option '--?([\w-]+)/.exec(text) ?? [];
  const meant = typed === undefined ? [] : (entryOf(options, fold(typed)) ?? []);
  const known = meant.find((name) => command.options.some(({ long }) => long === `--${name}`));
  if (known !== undefined) return `${text.trimEnd()}\n(Here it is --${known}.)\n`;
  const [, name] = /unknown command '([\w-]+)'/.exec(text) ?? [];
  const ours = name === undefined ? undefined : entryOf(commands, name.toLowerCase());
  return ours === undefined ? text : `${text.trimEnd()}\n(Here it is: alexnet ${ours}.)\n`;
}

/** Words may be the names of an object's methods. */
function entryOf<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

const fold = (word: string): string => word.toLowerCase().replaceAll("_", "-");
