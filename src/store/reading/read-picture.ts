import { AlexnetError } from "../../errors.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { pictureBytes, type Split } from "../../network/picture.js";

import { decodeStored } from "../encode.js";
import type { Store } from "../store.js";

/** One picture of a store, (size, size, 3). @throws AlexnetError "damaged-file" when it is damaged. */
export async function readPicture(store: Store, split: Split, index: number): Promise<Uint8Array> {
  const { encoding, pictureSize } = store.info;
  const picture = new Uint8Array(pictureBytes(pictureSize));
  if (!(await decodeStored(store.encoded(split, index), encoding, pictureSize, picture, findTurbojpeg())))
    throw new AlexnetError(
      "damaged-file",
      `${store.path}: ${split} picture ${index} is damaged; remove the store and prepare it again`,
    );
  return picture;
}
