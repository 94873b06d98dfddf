import { AlexnetError } from "../../errors.js";
import { findTurbojpeg } from "../../images/decode/turbojpeg.js";
import { PICTURE_BYTES, type Split } from "../../network/picture.js";

import { decodeStored } from "../encode.js";
import type { Store } from "../store.js";

/** One picture of a store, (256, 256, 3). @throws AlexnetError "data" when it is damaged. */
export async function readPicture(store: Store, split: Split, index: number): Promise<Uint8Array> {
  const picture = new Uint8Array(PICTURE_BYTES);
  const { encoding } = store.info;
  if (!(await decodeStored(store.encoded(split, index), encoding, picture, findTurbojpeg())))
    throw new AlexnetError(
      "damaged-file",
      `${store.path}: ${split} picture ${index} is damaged; remove the store and prepare it again`,
    );
  return picture;
}
