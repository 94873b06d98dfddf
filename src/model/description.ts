import { z } from "zod";
import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { parseNetwork } from "../network/parse.js";
import { DEFAULT_PICTURE_SIZE, type Preprocessing, pictureBytes, pictureSizeOf } from "../network/picture.js";
import { classCount } from "../network/transform.js";
import { bytesOf, decodeNumbers } from "../system/numbers.js";
import { colourOf, constantMean, type Model } from "./model.js";

/** All of a model but its parameters. */
export type Description = Omit<Model, "parameters">;

const triple = z.tuple([z.number(), z.number(), z.number()]);
const schema = z.object({
  network: z.unknown(),
  classes: z.array(z.string()),
  scale: triple,
  /** Height and width of pictures; those written before there was a choice do not say. */
  pictureSize: z.number().int().min(1).default(DEFAULT_PICTURE_SIZE),
  /** One colour, or the (pictureSize, pictureSize, 3) values as base64 of float32, little endian. */
  mean: z.union([triple, z.base64()]),
});

/** A model's description as the JSON that travels in the metadata of files. */
export function encodeDescription({ network, classes, preprocessing: { mean, scale } }: Description): string {
  const pictureSize = pictureSizeOf({ mean });
  return JSON.stringify({
    network,
    classes,
    scale,
    pictureSize: pictureSize === DEFAULT_PICTURE_SIZE ? undefined : pictureSize,
    mean: colourOf(mean) ?? Buffer.from(bytesOf(mean)).toString("base64"),
  });
}

/** @throws AlexnetError "damaged-file" or "invalid-network" naming the file and what is wrong. */
export function parseDescription(text: string, path: string): Description {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AlexnetError("damaged-file", `${path}: its description is no JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new AlexnetError("damaged-file", `${path}: its description is broken: ${z.prettifyError(parsed.error)}`);
  const { classes, scale, pictureSize, mean } = parsed.data;
  const network = parseNetwork(parsed.data.network, path);
  return {
    network,
    classes: checkClasses(classes, network, path, "damaged-file"),
    preprocessing: preprocessing(mean, scale, pictureSize, path),
  };
}

/** @throws AlexnetError of this code when there aren't as many classes as outputs. */
export function checkClasses(
  classes: readonly string[],
  network: Network,
  path: string,
  code: "damaged-file" | "invalid-option",
): readonly string[] {
  const outputs = classCount(network);
  if (classes.length !== outputs)
    throw new AlexnetError(code, `${path}: ${classes.length} class names for a network of ${outputs} outputs`);
  return classes;
}

function preprocessing(
  mean: Preprocessing["scale"] | string,
  scale: Preprocessing["scale"],
  pictureSize: number,
  path: string,
): Preprocessing {
  if (typeof mean !== "string") return { mean: constantMean(mean, pictureSize), scale };
  const bytes = Buffer.from(mean, "base64");
  const values = new Float32Array(pictureBytes(pictureSize));
  if (bytes.length !== values.byteLength)
    throw new AlexnetError(
      "damaged-file",
      `${path}: its mean image takes ${bytes.length} bytes, not ${values.byteLength}`,
    );
  decodeNumbers(bytes, "float32", values);
  return { mean: values, scale };
}
