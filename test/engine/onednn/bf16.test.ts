import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import type { Library } from "#src/engine/onednn/native/library.js";
import { openLibrary } from "#src/engine/onednn/native/library.js";
import { differentiate } from "#src/engine/onednn/one-layer.js";
import { bfloat16Arithmetic } from "#src/engine/onednn/self-test.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { expectClose } from "../../support/compare.js";
import { centred, noiseBatch, openIfPossible } from "../../support/networks.js";

describe("bfloat16 in oneDNN", () => {
  let engine: Engine;
  let unavailable: string | undefined;

  beforeAll(async () => {
