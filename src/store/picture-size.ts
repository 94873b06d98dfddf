import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { type Preprocessing, pictureSizeOf } from "../network/picture.js";
import type { Store } from "./store.js";

/** @throws AlexnetError "unusable-data" where a network sees more of a picture than a store's pictures have. */
export function refuseLargerCrop({ path, info: { pictureSize } }: Store, { name, input }: Network): void {
  if (input.size <= pictureSize) return;
  throw new AlexnetError(
    "unusable-data",
    `${path}: has pictures of ${pictureSize}x${pictureSize}, and ${name} sees crops of ${input.size}x${input.size}`,
    { hint: { advice: "prepare larger pictures", option: "size", value: input.size } },
  );
}

/** @throws AlexnetError "unusable-data" where a model's mean image is of pictures of another size than a store's. */
export function refuseOtherPictureSize(
  store: Store,
  { network, preprocessing }: { readonly network: Network; readonly preprocessing: Preprocessing },
): void {
  const { path, info } = store;
  const expected = pictureSizeOf(preprocessing);
  if (info.pictureSize !== expected)
    throw new AlexnetError(
      "unusable-data",
      `${path}: has pictures of ${info.pictureSize}x${info.pictureSize}, and the model's mean image is of ${expected}x${expected}`,
      { hint: { advice: "prepare pictures of the model's size", option: "size", value: expected } },
    );
  refuseLargerCrop(store, network);
}
