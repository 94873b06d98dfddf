/**
 * AlexNet as a library: everything the command line does. Nothing happens on import; engines and stores are opened
 * by their functions and closed by their `close`.
 */

export { type BatchOptions, batches, type LoadedBatch } from "./dataset/batches.js";
export {
  ensurePrepared,
  type PreparationOptions,
  type PrepareOptions,
  type PrepareProgress,
  type PrepareSummary,
  prepare,
} from "./dataset/prepare.js";
export {
  type ColourComponents,
  type Encoding,
  openStore,
  type Split,
  type Store,
  type StoreInfo,
} from "./dataset/store.js";
export { augmentedView, centreView, tenViews, viewsOf } from "./dataset/views.js";
export {
  type Batch,
  type CompileOptions,
  type Engine,
  type EngineDescription,
  type EngineName,
  engineNames,
  type Multipliers,
  type Precision,
  type Preprocessing,
  type Program,
  precisions,
  type State,
  type StepOptions,
  type StepResult,
  type View,
} from "./engine/engine.js";
export { type OpenOptions, openEngine } from "./engine/open.js";
export { AlexnetError, type ErrorCode } from "./errors.js";
export type { Calibration, CalibrationBin } from "./evaluation/calibration.js";
export {
  type Classification,
  type ClassifyOptions,
  classify,
  type Prediction,
} from "./evaluation/classify.js";
export {
  type ClassificationFormat,
  type ClassifySummary,
  type ClassifyToFileOptions,
  classifyToFile,
} from "./evaluation/classify-to-file.js";
export { type EvaluateOptions, type Evaluation, evaluate, type LabelledPrediction } from "./evaluation/evaluate.js";
export { FeatureIndex, type Neighbour } from "./evaluation/feature-index.js";
export { type FeaturesOptions, type FeaturesSummary, features } from "./evaluation/features.js";
export { type Interval, wilsonInterval } from "./evaluation/interval.js";
export { type Look, type LookOptions, look } from "./evaluation/look.js";
export { type ReportOptions, type ReportSummary, report } from "./evaluation/report.js";
export { type ClassScores, type ConfusionCell, errors, precisionAndRecall, type Scores } from "./evaluation/scores.js";
export { findSimilar, type SimilarOptions, type SimilarPictures, type SimilarResult } from "./evaluation/similar.js";
export { type ExportFormat, type ExportOptions, exportFormats, exportModel } from "./formats/export.js";
export { type Format, type Imported, type ImportOptions, importModel } from "./formats/import.js";
export type { Model } from "./formats/model.js";
export { loadPicture } from "./images/picture.js";
export { imagenetClasses } from "./network/imagenet-classes.js";
export { type Initialisation, initialise } from "./network/initialise.js";
export { type Layer, type Network, PICTURE_SIZE } from "./network/network.js";
export { networkByName, networks, resolveNetwork, type Variant, variants } from "./network/networks.js";
export { type Parameter, parameterCount, parameterTable, parameterView } from "./network/parameters.js";
export { parseNetwork } from "./network/parse.js";
export { selectLayers } from "./network/select-layers.js";
export { type LayerSummary, type Summary, summarise } from "./network/summary.js";
export { classCount, scaleWidth, withClasses } from "./network/transform.js";
export type { Cadence } from "./training/cadence.js";
export { type Checkpoint, readCheckpoint, readModel } from "./training/checkpoint.js";
export type { RunConfig } from "./training/config.js";
export type { TrainEvent, TrainSummary } from "./training/events.js";
export { writeImportedRun } from "./training/imported-run.js";
export { type EpochRow, type MetricsRow, readMetrics, type StepRow } from "./training/metrics.js";
export type { RunChoices } from "./training/plan.js";
export type { LearningRatePolicy, Recipe } from "./training/recipe.js";
export { recipeByName, recipes } from "./training/recipes.js";
export { type ResumeOptions, resume, type TrainOptions, train } from "./training/train.js";
export { writeModel } from "./training/write-checkpoint.js";
