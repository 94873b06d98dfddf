import { z } from "zod";
import { precisionChoices } from "../engine/engine.js";
import { engineNames } from "../engine/host/engines.js";
import { AlexnetError } from "../errors.js";
import type { JpegDecoder } from "../images/decode/decode.js";
import type { Network } from "../network/network.js";
import { parseNetwork } from "../network/parse.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import { fraction, path, positiveNumber, wholeNumber, withoutUndefined } from "../options.js";
import { policySchema, type Recipe, recipeSchema } from "../recipes/recipe.js";
import { readJson } from "../system/files.js";
import { cadence } from "./cadence.js";

/** One setting of a run. Whoever adds one adds a row below, and nothing else. */
export interface Setting {
  /** What a caller may give. */
  readonly schema: z.ZodType;
  /**
   * Where the run's config.json has it: under its own name, in the recipe, or in `data.preparation`; "folded in" for
   * what only decides about others.
   */
  readonly kept: "here" | "in recipe" | "in preparation" | "folded in";
  /** What holds where nothing is given, of what is kept; null is left to the engine, or is none. */
  readonly default?: unknown;
  /** Whether runs of before this setting existed lack it: the default holds for them. */
  readonly isNewer?: true;
  /** Whether a run that goes on may change it. */
  readonly change: "never" | "with override" | "freely";
  /** On the command line: `--epochs <count>`. `--no-…` is the setting's `false`. */
  readonly flag: string;
  readonly help: string;
  readonly group: keyof typeof groups;
  /** How the command line writes what is neither a word, a number nor a switch. */
  readonly text?: "duration" | "cadence" | "factor" | "factors" | "share" | "policy";
}

/** The headings of the settings in help and forms. */
export const groups = {
  learning: "What learns, and how:",
  recipe: "Fields of the recipe, each by itself:",
  pretrained: "Going on from a trained network, on other pictures:",
  preparation: "Preparing a folder of pictures:",
  machine: "The machine and the records:",
} as const;

const networkOption = z.union([
  path(),
  z.custom<Network>((value) => typeof value === "object" && value !== null, "give a network's description"),
]);
const factor = z.number("give a number from 0").min(0, "give a number from 0");

/** Every setting of a run, in the order of config.json. */
export const settings = {
  /** A name, the path of a JSON file, or a description. Default "paper". */
  network: {
    schema: networkOption,
    kept: "folded in",
    change: "never",
    flag: "--network <name|file>",
    help: "a name of `alexnet networks`, or a JSON file; default paper",
    group: "learning",
  },
  /** Times as many maps in every layer. Default 1. */
  width: {
    schema: positiveNumber(16),
    kept: "here",
    default: 1,
    change: "never",
    flag: "--width <factor>",
    help: "multiplies the feature maps of every layer; default 1",
    group: "learning",
  },
  /** A name, the path of a JSON file, or a recipe of one's own. Default: what suits network and number of pictures. */
  recipe: {
    schema: z.union([z.string(), recipeSchema.strict()]),
    kept: "folded in",
    change: "never",
    flag: "--recipe <name|file>",
    help: "a name of `alexnet recipes`, or a JSON file; default by network and pictures",
    group: "learning",
  },
  /** Times through the pictures. Default: the recipe's. */
  epochs: {
    schema: wholeNumber(1),
    kept: "in recipe",
    change: "with override",
    flag: "--epochs <count>",
    help: "times through the pictures; default the recipe's",
    group: "learning",
  },
  /** Pictures a step. "auto" is the largest batch that fits into memory, up to the recipe's. Default: the recipe's. */
  batchSize: {
    schema: z.union([wholeNumber(1), z.literal("auto")]),
    kept: "in recipe",
    change: "with override",
    flag: "--batch <pictures>",
    help: "pictures a step, or auto: what fits into memory",
    group: "learning",
  },
  /** At the start. Default: the recipe's. */
  learningRate: {
    schema: positiveNumber(),
    kept: "in recipe",
    change: "with override",
    flag: "--learning-rate <rate>",
    help: "at the start; default the recipe's",
    group: "learning",
  },
  /**
   * What is done about classes of different sizes: "weights" multiplies each picture's loss by n / (K n_c), with n pictures
   * of K classes, n_c of its own; "sampling" shows each class as often as every other. Default "none".
   */
  balance: {
    schema: z.enum(["none", "weights", "sampling"]),
    kept: "here",
    default: "none",
    isNewer: true,
    change: "never",
    flag: "--balance <how>",
    help: "for classes of different sizes: weights (of the loss) or sampling (each as often); default none",
    group: "learning",
  },
  /** Decides every random draw. Default 1. */
  seed: {
    schema: wholeNumber(0),
    kept: "here",
    default: 1,
    change: "never",
    flag: "--seed <number>",
    help: "decides every random draw; default 1",
    group: "learning",
  },
  /** How much of the last update the next one keeps. Default: the recipe's, as of all that follow. */
  momentum: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--momentum <factor>",
    help: "how much of the last update the next one keeps; 0.9 in the paper",
    group: "recipe",
  },
  weightDecay: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--weight-decay <factor>",
    help: "pulls weights towards 0; 0.0005 in the paper",
    group: "recipe",
  },
  biasLearningRate: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--bias-lr <factor>",
    help: "multiplies the learning rate of biases",
    group: "recipe",
    text: "factor",
  },
  biasWeightDecay: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--bias-decay <factor>",
    help: "multiplies the weight decay of biases",
    group: "recipe",
    text: "factor",
  },
  /** Epochs, or a part of one, in which the rate rises. */
  warmUp: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--warm-up <epochs>",
    help: "epochs, or part of one, in which the learning rate rises",
    group: "recipe",
  },
  /** How the learning rate falls. */
  policy: {
    schema: policySchema,
    kept: "in recipe",
    change: "never",
    flag: "--policy <name|json>",
    help: "how the learning rate falls: plateau, step, linear, cosine, or a recipe's field as JSON",
    group: "recipe",
    text: "policy",
  },
  /** Standard deviation of the weights at the start, or "he". */
  deviation: {
    schema: z.union([positiveNumber(), z.literal("he")]),
    kept: "folded in",
    change: "never",
    flag: "--deviation <number|he>",
    help: "standard deviation of the weights at the start: 0.01 in the paper; he: by the layer's inputs",
    group: "recipe",
  },
  /** Where biases start, by layer; 0 for those not named. */
  biases: {
    schema: z.record(z.string(), factor).readonly(),
    kept: "folded in",
    change: "never",
    flag: "--biases <layers=value>",
    help: "where biases start: conv2=1,fc6=1; 0 for those not named",
    group: "recipe",
    text: "factors",
  },
  /** What is subtracted from each picture. */
  meanSubtraction: {
    schema: z.enum(["image", "none"]),
    kept: "in recipe",
    change: "never",
    flag: "--mean-subtraction <what>",
    help: "image, the mean of the training pictures, or none",
    group: "recipe",
  },
  inputScale: {
    schema: positiveNumber(),
    kept: "in recipe",
    change: "never",
    flag: "--input-scale <factor>",
    help: "multiplies pixels after that; 1 in the paper",
    group: "recipe",
  },
  /** Random crops, reflections and colours. Without, frozen layers' outputs are kept on disk. */
  augmentation: {
    schema: z.boolean(),
    kept: "in recipe",
    change: "never",
    flag: "--no-augmentation",
    help: "see pictures' centres only; frozen layers' outputs are then kept on disk",
    group: "recipe",
  },
  crops: {
    schema: z.boolean(),
    kept: "in recipe",
    change: "never",
    flag: "--no-crops",
    help: "no random crops: the centre",
    group: "recipe",
  },
  mirrors: {
    schema: z.boolean(),
    kept: "in recipe",
    change: "never",
    flag: "--no-mirrors",
    help: "no reflections",
    group: "recipe",
  },
  colourDeviation: {
    schema: factor,
    kept: "in recipe",
    change: "never",
    flag: "--colour-deviation <number>",
    help: "standard deviation of the colour noise; 0.1 in the paper, 0 for none",
    group: "recipe",
  },
  /** A run, a checkpoint's file or one that `importModel` reads, whose parameters training starts from. */
  from: {
    schema: path(),
    kept: "folded in",
    change: "never",
    flag: "--from <run|file>",
    help: "a run, a checkpoint, or a file that alexnet import reads",
    group: "pretrained",
  },
  /** Layers that stay as they are: "conv1..conv5", or several with commas between. */
  freeze: {
    schema: z.string(),
    kept: "folded in",
    change: "never",
    flag: "--freeze <layers>",
    help: "layers that stay as they are: conv1..conv5, or several with commas between",
    group: "pretrained",
  },
  /** Times the learning rate for the last layer. */
  headRate: {
    schema: factor,
    kept: "folded in",
    change: "never",
    flag: "--head-lr <factor>",
    help: "multiplies the last layer's learning rate, such as 10x",
    group: "pretrained",
    text: "factor",
  },
  /** Times the learning rate for others, by their names: `{ "conv1..conv3": 0.1, fc7: 2 }`. */
  layerRates: {
    schema: z.record(z.string(), factor).readonly(),
    kept: "folded in",
    change: "never",
    flag: "--layer-lr <layers=factor>",
    help: "the same for others: conv1..conv3=0.1,fc7=2x",
    group: "pretrained",
    text: "factors",
  },
  /** Height and width of the prepared pictures. Default 256, or that of the pictures that `from` was trained on. */
  size: {
    schema: wholeNumber(8, 1024),
    kept: "in preparation",
    default: DEFAULT_PICTURE_SIZE,
    isNewer: true,
    change: "never",
    flag: "--size <pixels>",
    help: "height and width of the prepared pictures; default 256",
    group: "preparation",
  },
  /** "raw" costs no decoding in training, 197 kB a picture; "jpeg" about 26 kB. "auto": raw up to a quarter of the free disk. */
  encoding: {
    schema: z.enum(["auto", "raw", "jpeg"]),
    kept: "in preparation",
    default: "auto",
    change: "never",
    flag: "--encoding <name>",
    help: "raw, jpeg or auto; see prepare",
    group: "preparation",
  },
  /** Of each class, drawn for validation where the source has no validation pictures. Default 0.1. */
  valFraction: {
    schema: fraction(),
    kept: "in preparation",
    default: 0.1,
    change: "never",
    flag: "--val-fraction <share>",
    help: "of each class, where there is no val/; default 0.1",
    group: "preparation",
  },
  /** Train although training and validation have different classes. */
  allowMissingClasses: {
    schema: z.boolean(),
    kept: "in preparation",
    default: false,
    change: "never",
    flag: "--allow-missing-classes",
    help: "go on when training and validation have different classes",
    group: "preparation",
  },
  /** SVG can refer to other files, so it is skipped otherwise. */
  allowSvg: {
    schema: z.boolean(),
    kept: "in preparation",
    default: false,
    change: "never",
    flag: "--allow-svg",
    help: "read SVG, which can refer to other files",
    group: "preparation",
  },
  /** Share of unreadable pictures beyond which they are not trained on. Default 0.01, if more than five. */
  maxBad: {
    schema: z.number("give a share from 0 to 1").min(0, "give a share from 0 to 1").max(1, "give a share from 0 to 1"),
    kept: "in preparation",
    isNewer: true,
    change: "never",
    flag: "--max-bad <share>",
    help: "fail beyond this share of unreadable pictures; default 1%, if more than five",
    group: "preparation",
    text: "share",
  },
  /** Of Parquet files: the column that holds the pictures. Default image or img, or the only one of its type. */
  imageColumn: {
    schema: z.string(),
    kept: "in preparation",
    isNewer: true,
    change: "never",
    flag: "--image-column <name>",
    help: "of Parquet files: where the pictures are; default image",
    group: "preparation",
  },
  /** Of Parquet files: the column that holds the classes. Default label, or the only one of its type. */
  labelColumn: {
    schema: z.string(),
    kept: "in preparation",
    isNewer: true,
    change: "never",
    flag: "--label-column <name>",
    help: "of Parquet files: where the classes are; default label",
    group: "preparation",
  },
  /** Default "auto". */
  engine: {
    schema: z.enum(["auto", ...engineNames]),
    kept: "here",
    default: "auto",
    change: "freely",
    flag: "--engine <name>",
    help: ["auto", ...engineNames].join(", "),
    group: "machine",
  },
  /** Precision of products. A run keeps the one that it began with; default: the quickest where it began. */
  precision: {
    schema: z.enum(precisionChoices),
    kept: "here",
    default: null,
    isNewer: true,
    change: "freely",
    flag: "--precision <name>",
    help: `of products: ${precisionChoices.join(", ")}`,
    group: "machine",
  },
  /** Threads that compute. Default: as many as suit the machine. */
  threads: {
    schema: wholeNumber(1),
    kept: "here",
    default: null,
    change: "freely",
    flag: "--threads <count>",
    help: "threads that compute",
    group: "machine",
  },
  /** Threads that load pictures. Default: as many as suit the machine. */
  workers: {
    schema: wholeNumber(1),
    kept: "here",
    default: null,
    change: "freely",
    flag: "--workers <count>",
    help: "threads that load pictures",
    group: "machine",
  },
  /** Whether a GPU holds all pictures in its memory where they fit: the same results, sooner. Default true. */
  resident: {
    schema: z.boolean(),
    kept: "here",
    default: true,
    isNewer: true,
    change: "freely",
    flag: "--no-resident",
    help: "bring pictures to a GPU for each step, even where its memory has room for all",
    group: "machine",
  },
  /** How often a checkpoint is written besides the one after each epoch. Default: every ten minutes. */
  checkpointEvery: {
    schema: cadence,
    kept: "here",
    default: { unit: "seconds", every: 600 },
    change: "freely",
    flag: "--checkpoint-every <span>",
    help: "10m, 500 steps or 1 epoch; default 10m and each epoch",
    group: "machine",
    text: "cadence",
  },
  /** Newest checkpoints kept, besides the best. Default 2. */
  keep: {
    schema: wholeNumber(1),
    kept: "here",
    default: 2,
    change: "freely",
    flag: "--keep <count>",
    help: "newest checkpoints kept, besides the best; default 2",
    group: "machine",
  },
  /** Steps a row of metrics. Default: so many that an epoch has at most 500 rows. */
  metricsEvery: {
    schema: wholeNumber(1),
    kept: "here",
    default: ({ batches }: Facts): number => Math.ceil(batches / 500),
    change: "freely",
    flag: "--metrics-every <steps>",
    help: "steps a row of metrics.jsonl",
    group: "machine",
  },
  /** Seconds to spend; the epochs become as many as fit, up to the recipe's. Default: no limit. */
  timeBudget: {
    schema: positiveNumber(),
    kept: "here",
    default: null,
    change: "freely",
    flag: "--time-budget <time>",
    help: "such as 2h: as many epochs as fit, up to --epochs",
    group: "learning",
    text: "duration",
  },
  /** End after so many epochs without a lower error. Default: never. */
  earlyStop: {
    schema: wholeNumber(1),
    kept: "here",
    default: null,
    change: "freely",
    flag: "--early-stop <epochs>",
    help: "end after so many epochs without a lower error",
    group: "learning",
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** A switch that is on where nobody says otherwise. */
export function isOnByItself({ flag }: Setting): boolean {
  return flag.startsWith("--no-");
}

/** What defaults may depend on. */
export interface Facts {
  /** Batches per epoch. */
  readonly batches: number;
}

type Settings = typeof settings;
export type SettingName = keyof Settings;
type Value<N extends SettingName> = z.output<Settings[N]["schema"]>;
type NamesKept<Where extends Setting["kept"]> = {
  [N in SettingName]: Settings[N]["kept"] extends Where ? N : never;
}[SettingName];

/** What can be chosen about a run; defaults hold where something is left out. */
export type RunChoices = { readonly [N in Exclude<SettingName, NamesKept<"in preparation">>]?: Value<N> };

/** How a folder is prepared; see `prepare`. */
export type PreparationChoices = { readonly [N in NamesKept<"in preparation">]?: Value<N> } & {
  /** Decides which pictures are drawn for validation. Default 1. */
  readonly seed?: number;
  /** See `PreparationOptions`. */
  readonly jpegDecoder?: JpegDecoder;
};

type KeptPreparation = Omit<PreparationChoices, "seed" | "jpegDecoder">;

/** As config.json has it: without those that nobody chose and that have no default. */
type PreparationInFile = {
  readonly [N in NamesKept<"in preparation">]:
    | Value<N>
    | (Settings[N] extends { readonly default: unknown } ? never : undefined);
};

/** The settings that config.json has under their own names, as they took effect. */
export type KeptSettings = {
  readonly [N in NamesKept<"here">]: Value<N> | (Settings[N] extends { readonly default: null } ? null : never);
};

const rows: readonly (readonly [string, Setting])[] = Object.entries(settings);

/** A schema for each field of a type. */
type ShapeOf<T> = { [N in keyof T]-?: z.ZodType<T[N]> };

/** The schemas of the settings that are kept in one of these places. */
function shapeOf<T>(kept: readonly Setting["kept"][], schemaOf: (row: Setting) => z.ZodType): ShapeOf<T> {
  const shape = rows.filter(([, row]) => kept.includes(row.kept)).map(([name, row]) => [name, schemaOf(row)]);
  return Object.fromEntries(shape) as ShapeOf<T>; // the callers' types are made of the same rows
}

const optional = ({ schema }: Setting): z.ZodType => schema.optional();

/** What a caller may give of each setting: part of the options of `train`, `resume` and others. */
export const choiceShape = shapeOf<RunChoices>(["here", "in recipe", "folded in"], optional);
export const preparationShape = {
  ...shapeOf<KeptPreparation>(["in preparation"], optional),
  seed: wholeNumber(0).optional(),
  jpegDecoder: z.enum(["libjpeg-turbo", "sharp"]).optional(),
};

const inFile = ({ schema, isNewer, default: usual }: Setting): z.ZodType => {
  if (usual === undefined) return schema.optional();
  const known = usual === null ? schema.nullable() : schema;
  return isNewer ? known.default(usual) : known;
};
const keptShape = shapeOf<KeptSettings>(["here"], inFile);
const keptSettings = z.object(keptShape);
const { width, ...afterRecipe } = keptShape; // config.json has the width beside the network
const { size, encoding, valFraction, ...afterSeed } = shapeOf<PreparationInFile>(["in preparation"], inFile);
/** As it was asked for, should the store be prepared again. */
const preparationSchema = z.object({ size, encoding, valFraction, seed: wholeNumber(0), ...afterSeed });

/** What config.json says besides the table's settings follows from them, or from the pictures. */
const configSchema = z
  .object({
    /** Version of this file format. */
    version: z.literal(1),
    data: z.object({
      /** The folder or store that was named, and the store trained on. */
      source: z.string(),
      store: z.string(),
      /** Of the store's contents. */
      hash: z.string(),
      train: z.number(),
      val: z.number(),
      classes: z.number(),
      preparation: preparationSchema,
    }),
    /** Classes and width applied. */
    network: z.unknown(),
    width,
    /** What the parameters start from where they are not fresh: the file, the hash of its model, its last layer's fate. */
    base: z
      .object({ path: z.string(), hash: z.string(), head: z.enum(["kept", "new"]) })
      .readonly()
      .nullable()
      .default(null),
    recipe: recipeSchema,
    /** Why this recipe. */
    recipeReason: z.string(),
    ...afterRecipe,
  })
  .readonly();

/** All settings of a run, as they took effect: what config.json holds. */
export interface RunConfig
  extends Omit<z.output<typeof configSchema>, "network" | "recipe" | keyof KeptSettings>,
    KeptSettings {
  readonly network: Network;
  readonly recipe: Recipe;
}

/** @throws AlexnetError "damaged-file" naming the file and the field that is wrong. */
export function readConfig(path: string): RunConfig {
  const parsed = configSchema.safeParse(readJson(path));
  if (!parsed.success) throw new AlexnetError("damaged-file", `${path}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, network: parseNetwork(parsed.data.network, path) };
}

/** The settings kept here: what was chosen, and defaults where nothing was. */
export function settleSettings(choices: RunChoices, facts: Facts): KeptSettings {
  const usual = rows.flatMap(([name, { kept, default: value }]) =>
    kept === "here" ? [[name, typeof value === "function" ? value(facts) : value]] : [],
  );
  return keptSettings.parse({ ...Object.fromEntries(usual), ...given(choices, "here") });
}

/** The same for how a folder is prepared. */
export function settlePreparation(choices: PreparationChoices): z.output<typeof preparationSchema> {
  const usual = rows.flatMap(([name, row]) => (row.kept === "in preparation" ? [[name, row.default]] : []));
  return preparationSchema.parse({ ...Object.fromEntries(usual), seed: 1, ...withoutUndefined(choices) });
}

/** Those of the chosen settings that are kept in a place and that a run which goes on may change so. */
export function given(
  choices: RunChoices,
  where: Setting["kept"],
  change?: Setting["change"],
): Readonly<Partial<RunChoices>> {
  const wanted = rows.filter(([, row]) => row.kept === where && (change === undefined || row.change === change));
  const names = new Set(wanted.map(([name]) => name));
  return withoutUndefined(Object.fromEntries(Object.entries(choices).filter(([name]) => names.has(name))));
}

/** A run's settings with those given anew that may change freely. */
export function changeFreely(config: RunConfig, choices: RunChoices): RunConfig {
  return { ...config, ...keptSettings.parse({ ...config, ...given(choices, "here", "freely") }) };
}

/** The names of the settings that a run which goes on may change so. */
export function namesThatChange(change: Setting["change"]): readonly string[] {
  return rows.flatMap(([name, row]) => (row.change === change ? [name] : []));
}
