import { AlexnetError } from "../errors.js";
import { augmentation } from "./all/augmentation.js";
import { biases } from "./all/biases.js";
import { depth } from "./all/depth.js";
import { dropout } from "./all/dropout.js";
import { norm } from "./all/norm.js";
import { overlap } from "./all/overlap.js";
import { relu } from "./all/relu.js";
import { tenViews } from "./all/ten-views.js";
import type { Claim } from "./claim.js";

/** The paper's claims that can be tried, in the order of its sections. */
export const claims: readonly Claim[] = [relu, norm, overlap, depth, augmentation, tenViews, dropout, biases];

/** @throws AlexnetError "invalid-option" naming the claims there are. */
export function claimByName(name: string): Claim {
  const claim = claims.find((candidate) => candidate.name === name);
  if (claim === undefined)
    throw new AlexnetError(
      "invalid-option",
      `no claim is named ${name}; there are: ${claims.map((candidate) => candidate.name).join(", ")}, and all`,
    );
  return claim;
}
