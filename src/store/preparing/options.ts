import type { JpegDecoder } from "../../images/decode/decode.js";
import { DEFAULT_PICTURE_SIZE } from "../../network/picture.js";
import type { TaskOptions } from "../../task.js";
import type { Encoding } from "../encode.js";
import type { SourceChoices } from "../sources/source.js";

/** How a picture set is made into a store. */
export interface StoreOptions {
  /** Height and width of the pictures, 8 to 1024. Default 256 (paper section 2). */
  readonly size?: number;
  /** "raw" costs no decoding in training, 197 kB a picture of 256; "jpeg" about 26 kB. "auto": raw up to a quarter of the free disk. */
  readonly encoding?: Encoding | "auto";
  /** Share of each class that is drawn for validation where the source has no validation pictures. Default 0.1. */
  readonly valFraction?: number;
  /** Decides what is drawn. Default 1. */
  readonly seed?: number;
  /** Decoding threads; by default one more than there are cores. The result is the same for any number. */
  readonly workers?: number;
  /** Train on although training and validation have different classes. */
  readonly allowMissingClasses?: boolean;
  /** SVG can refer to other files, so it is skipped otherwise. */
  readonly allowSvg?: boolean;
  /** Of Parquet files: the column that holds the pictures. Default image or img, or the only one of its type. */
  readonly imageColumn?: string;
  /** Of Parquet files: the column that holds the classes. Default label, or the only one of its type. */
  readonly labelColumn?: string;
  /** Decodes and makes JPEGs; by default libjpeg-turbo where it is installed, being twice as fast. */
  readonly jpegDecoder?: JpegDecoder;
}

/** What a store is made with: what people choose, and which part of the set an evaluation wants. */
export type MakingOptions = StoreOptions & SourceChoices;

export interface PrepareOptions extends StoreOptions, TaskOptions<PreparingEvent> {
  /** A folder of pictures, an archive, or a pattern of archives. */
  readonly source: string;
  /** Folder of the store. */
  readonly out: string;
  /** Share of unreadable pictures beyond which the call fails; the store is kept. Default 0.01, if more than five. */
  readonly maxBad?: number;
}

/** How far a store is. */
export interface PreparingEvent {
  readonly kind: "preparing";
  readonly phase: "listing" | "preparing" | "finishing";
  readonly done: number;
  /** 0 while listing. */
  readonly total: number;
  readonly skipped: number;
}

export const DEFAULTS = {
  size: DEFAULT_PICTURE_SIZE,
  valFraction: 0.1,
  seed: 1,
  encoding: "auto",
  allowMissingClasses: false,
  allowSvg: false,
} as const;
