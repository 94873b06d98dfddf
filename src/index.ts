/**
 * AlexNet as a library: everything the command line does. Nothing happens on import; what is opened by a function is
 * closed by its `close`. docs/library.md describes every name.
 */

export type { Arm, Claim, Measure } from "./claims/claim.js";
export { claims } from "./claims/claims.js";
export type { ClaimResult } from "./claims/result.js";
export { type ClaimEvent, type ClaimOptions, tryClaim } from "./claims/trial.js";
export type { Verdict } from "./claims/verdict.js";
export { type Diagnosis, type DoctorOptions, doctor, type Finding } from "./doctor/doctor.js";
export {
  type CompileOptions,
  type Engine,
  type EngineDescription,
  type Multipliers,
  type Precision,
  type PrecisionChoice,
  type Program,
  precisionChoices,
  precisions,
  type State as ProgramState,
  type StepOptions,
  type StepResult,
} from "./engine/engine.js";
export { type EngineName, engineNames } from "./engine/host/engines.js";
export { type EngineOptions, openEngine } from "./engine/host/open.js";
export { AlexnetError, type CallHint, type ErrorCode, type Hint, type OptionHint } from "./errors.js";
export {
  type Classification,
  type ClassifyAllOptions,
  type ClassifyingOptions,
  type ClassifyOptions,
  classify,
  type Prediction,
  type Unreadable,
} from "./evaluation/classify.js";
export {
  type ClassificationFormat,
  type ClassifyingToFileOptions,
  type ClassifySummary,
  type ClassifyToFileOptions,
  classifyToFile,
} from "./evaluation/classify-to-file.js";
export {
  type EvaluateEvent,
  type EvaluateOptions,
  type EvaluatingOptions,
  type Evaluation,
  evaluate,
  type LabelledPrediction,
} from "./evaluation/evaluate.js";
export { FeatureIndex, type Neighbour } from "./evaluation/feature-index.js";
export {
  type FeaturesOptions,
  type FeaturesSummary,
  features,
  type LayerOptions,
  type WriteFeaturesOptions,
} from "./evaluation/features.js";
export type { OpenModelOptions } from "./evaluation/loaded-model.js";
export {
  type FeatureMaps,
  type LookingOptions,
  type LookOptions,
  type LookResult,
  look,
  type PictureLook,
  type WriteLookOptions,
} from "./evaluation/look.js";
export type { LeftOut } from "./evaluation/match-classes.js";
export type { HiddenPlace, OcclusionOptions } from "./evaluation/occlusion.js";
export { type OpenModel, openModel } from "./evaluation/open-model.js";
export type { PictureBlob, PictureSource } from "./evaluation/picture-source.js";
export {
  findSimilar,
  type SimilarOptions,
  type SimilarPictures,
  type SimilarResult,
  type SimilarSearchOptions,
} from "./evaluation/similar.js";
export { type ExportFormat, type ExportOptions, exportFormats, exportModel } from "./formats/export.js";
export { imagenetClasses } from "./formats/imagenet-classes.js";
export {
  type Assumption,
  type Imported,
  type ImportFormat,
  type ImportOptions,
  importModel,
} from "./formats/import.js";
export { loadPicture } from "./images/picture.js";
export type { Model } from "./model/model.js";
export { type Initialisation, initialise } from "./network/initialise.js";
export type { Layer as NetworkLayer, Network } from "./network/network.js";
export { networks, resolveNetwork } from "./network/networks.js";
export { type Parameter, parameterCount, parameterTable, parameterView } from "./network/parameters.js";
export { parseNetwork } from "./network/parse.js";
export {
  type Batch,
  DEFAULT_PICTURE_SIZE,
  type Preprocessing,
  type Split as DataSplit,
  type View,
} from "./network/picture.js";
export { selectLayers } from "./network/select-layers.js";
export { type LayerSummary, type Summary as NetworkSummary, summarise as summariseNetwork } from "./network/summary.js";
export { classCount, scaleWidth, withClasses } from "./network/transform.js";
export type { LearningRatePolicy, Recipe } from "./recipes/recipe.js";
export { recipeByName, recipes } from "./recipes/recipes.js";
export { type ExportPageOptions, exportPage } from "./report/classify-page.js";
export { type ReportOptions, type ReportSummary, report } from "./report/report.js";
export type { Cadence } from "./runs/cadence.js";
export type { Checkpoint } from "./runs/checkpoint/format.js";
export { readCheckpoint, readModel } from "./runs/checkpoint/read.js";
export { writeModel } from "./runs/checkpoint/write.js";
export { askRun, type Control, controls } from "./runs/control.js";
export type { TrainEvent, TrainSummary } from "./runs/events.js";
export { writeImportedRun } from "./runs/imported-run.js";
export { listRuns, type RunSummary } from "./runs/list.js";
export { type EpochRow, type MetricsRow, readMetrics, type StepRow } from "./runs/metrics.js";
export type { PreparationChoices, RunChoices, RunConfig } from "./runs/settings.js";
export type { Calibration, CalibrationBin } from "./scoring/calibration.js";
export { type Interval, wilsonInterval } from "./scoring/interval.js";
export {
  type ClassScores,
  type ConfusionCell,
  errors as errorRates,
  precisionAndRecall,
  type Scores,
} from "./scoring/scores.js";
export { type ServeOptions, type Serving, serve } from "./server/serve.js";
export { ensurePrepared } from "./store/cache.js";
export { type Cached, clearCache, listCache } from "./store/cached.js";
export { type VerifyOptions, verify } from "./store/checking/verify.js";
export type { PrepareOptions, PreparingEvent, StoreOptions } from "./store/preparing/options.js";
export { prepare } from "./store/preparing/prepare.js";
export type { PrepareSummary } from "./store/preparing/summary.js";
export { type BatchOptions, batches, type LoadedBatch } from "./store/reading/batches.js";
export {
  type ColourComponents,
  type Encoding,
  openStore,
  type Store,
  type StoreInfo,
} from "./store/store.js";
export { augmentedView, centreView, tenViews, viewsOf } from "./store/views.js";
export type { ProgressEvent, TaskOptions, UnreadableEvent, WarningEvent } from "./task.js";
export {
  findLearningRate,
  type Sweep,
  type SweepEvent,
  type SweepOptions,
  type SweepPoint,
} from "./training/find-rate.js";
export { type ResumeOptions, resume, type TrainOptions, type TrainResult, train } from "./training/train.js";
