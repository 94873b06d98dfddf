import { bicycle } from "./bicycle.js";
import { car } from "./car.js";
import { clock } from "./clock.js";
import { fish } from "./fish.js";
import { flower } from "./flower.js";
import { house } from "./house.js";
import { kite } from "./kite.js";
import { mug } from "./mug.js";
import { sailboat } from "./sailboat.js";
import { snowman } from "./snowman.js";
import type { Subject } from "./subject.js";
import { tree } from "./tree.js";
import { umbrella } from "./umbrella.js";

/** The classes of the picture set, by name. */
export const subjects: readonly Subject[] = [
  bicycle,
  car,
  clock,
  fish,
  flower,
  house,
  kite,
  mug,
  sailboat,
  snowman,
  tree,
  umbrella,
];
