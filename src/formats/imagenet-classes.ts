// By require, not by import: Node.js 20.9 knows no import attributes.
import names = require("./imagenet-classes.json");

/** The classes of ILSVRC 2012 in the order of its labels (by WordNet id), with a short name each. All names differ. */
export const imagenetClasses: readonly { readonly id: string; readonly name: string }[] = Object.entries(names).map(
  ([id, name]) => ({ id, name }),
);
