import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Engine, pictureShape, type Tensor } from "#src/engine/engine.js";
import type { EngineName, OpenOptions } from "#src/engine/host/engines.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import type { Layer } from "#src/network/network.js";
import { parameterTable, parameterView, weightShape } from "#src/network/parameters.js";
import { outputShape } from "#src/network/shapes.js";
import { expectClose, expectTensorClose } from "./compare.js";
import { isComparable, type Tolerances } from "./conformance.js";
import { centred, networkOf, noiseBatch, normalTensor, openIfPossible } from "./networks.js";

const small = (max: number, min = 1) => fc.integer({ min, max });

interface Case {
  readonly layer: Layer;
  /** (batch, channels, height, width), or (batch, length). */
  readonly shape: readonly number[];
}

const convolutions: fc.Arbitrary<Case> = fc
  .record({
    batch: small(3),
    groups: small(3),
    channelsPerGroup: small(17),
    filtersPerGroup: small(17),
    size: small(5),
    stride: small(4),
    padding: small(4, 0),
    moreHeight: small(9, 0),
    moreWidth: small(9, 0),
  })
  .map(({ batch, groups, channelsPerGroup, filtersPerGroup, size, stride, padding, moreHeight, moreWidth }) => ({
    layer: {
      kind: "convolution",
      name: "convolution",
      filters: groups * filtersPerGroup,
      size,
      stride,
      padding: padding % size,
      groups,
    },
    shape: [batch, groups * channelsPerGroup, size + moreHeight, size + moreWidth],
  }));

const pools: fc.Arbitrary<Case> = fc
  .record({
    batch: small(3),
    channels: small(19),
    size: small(4),
    stride: small(5),
    more: fc.tuple(small(9), small(9)),
  })
  .map(({ batch, channels, size, stride, more: [height, width] }) => ({
    layer: { kind: "max-pool", name: "pool", size, stride },
    shape: [batch, channels, size + height, size + width],
  }));

const averagePools: fc.Arbitrary<Case> = pools.map(({ layer, shape }) => ({
  layer: { ...layer, kind: "average-pool" } as Layer,
  shape,
}));

const norms: fc.Arbitrary<Case> = fc
  .record({
    batch: small(3),
    groups: small(2),
    mapsPerGroup: small(13),
    height: small(7),
    width: small(7),
    reach: small(3, 0),
    k: fc.double({ min: 0.5, max: 2, noNaN: true }),
    alpha: fc.double({ min: 0, max: 1, noNaN: true }),
    beta: fc.constantFrom(0.5, 0.75, 1),
    withinMap: fc.boolean(),
  })
  .map(({ batch, groups, mapsPerGroup, height, width, reach, k, alpha, beta, withinMap }) => ({
    layer: {
      kind: "local-response-norm",
      name: "norm",
      ...{ k, n: 2 * reach + 1, alpha, beta },
      ...(withinMap ? { region: "within-map" } : { groups }),
    },
    shape: [batch, groups * mapsPerGroup, height, width],
  }));

const fullyConnected: fc.Arbitrary<Case> = fc
  .record({
    outputs: small(33),
    shape: fc.oneof(fc.tuple(small(5), small(70)), fc.tuple(small(3), small(9), small(5), small(5))),
  })
  .map(({ outputs, shape }) => ({ layer: { kind: "fully-connected", name: "fc", outputs }, shape }));

const relus: fc.Arbitrary<Case> = fc
  .oneof(fc.tuple(small(5), small(70)), fc.tuple(small(3), small(19), small(7), small(7)))
  .map((shape) => ({ layer: { kind: "relu", name: "relu" }, shape }));

const tanhs: fc.Arbitrary<Case> = relus.map(({ shape }) => ({ layer: { kind: "tanh", name: "tanh" }, shape }));

const kinds: { readonly [K in Exclude<Layer["kind"], "dropout">]: fc.Arbitrary<Case> } = {
  convolution: convolutions,
  "max-pool": pools,
  "average-pool": averagePools,
  "local-response-norm": norms,
  "fully-connected": fullyConnected,
  relu: relus,
  tanh: tanhs,
};

/** Fresh random layers and networks: the engine gives what the reference engine gives. `runs`: of each kind. */
export function agreement(name: EngineName, tolerances: Tolerances, options: OpenOptions = {}, runs = 40): void {
  describe(["engine", name, ...Object.values(options), "against the reference"].join(" "), () => {
    let engine: Engine;
    let reference: Engine;
    let unavailable: string | undefined;

    /** What the engine can hold: then equal maxima are equal for both engines. */
    const held = ({ shape, data }: Tensor): Tensor => ({
      shape,
      data: tolerances.coarse === "values" ? data.map((value) => Math.round(value * 64) / 64) : data,
    });

    beforeAll(async () => {
      const opened = await openIfPossible(name, { threads: 1, ...options }); // layers this small gain nothing from more
      if (typeof opened === "string") unavailable = opened;
      else engine = opened;
      reference = await openEngine("reference");
    });
    beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
    afterAll(async () => {
      await engine?.close();
      await reference.close();
    });

    it.each(Object.entries(kinds))("%s of any shape", async (_kind, cases) => {
      await fc.assert(
        fc.asyncProperty(cases, small(1 << 30), async ({ layer, shape }, seed) => {
          const x = layer.kind === "max-pool" ? held(normalTensor(seed, ...shape)) : normalTensor(seed, ...shape);
          const input = pictureShape(x);
          const { channels, height, width } = outputShape(layer, input);
          const weights = weightShape(layer, input);
          const inputs = {
            x,
            dy: normalTensor(
              seed + 1,
              shape[0],
              channels,
              ...(shape.length === 4 && layer.kind !== "fully-connected" ? [height, width] : []),
            ),
            ...(weights && { w: normalTensor(seed + 2, ...weights), b: normalTensor(seed + 3, weights[0]) }),
          };
          const [actual, expected] = [
            await engine.differentiate(layer, inputs),
            await reference.differentiate(layer, inputs),
          ];
          expectTensorClose(actual.y, expected.y, tolerances.layer, "y");
          expectTensorClose(actual.dx, expected.dx, tolerances.layer, "dx");
          expect(actual.dw === undefined).toBe(weights === undefined);
          if (expected.dw && expected.db) {
            expectTensorClose(actual.dw, expected.dw, tolerances.layer, "dw");
            expectTensorClose(actual.db, expected.db, tolerances.layer, "db");
          }
        }),
        { seed: 1, numRuns: runs },
      );
    });

    it("whole networks of any width, dropout included", async () => {
      const networks = fc.record({
        maps: small(11),
        groups: small(3),
        units: small(40),
        classes: small(13, 2),
        samples: small(4),
        pool: fc.constantFrom("max-pool", "average-pool", undefined),
        activation: fc.constantFrom("relu", "tanh"),
      });
      await fc.assert(
        fc.asyncProperty(
          networks,
          small(1 << 30),
          async ({ maps, groups, units, classes, samples, pool, activation }, seed) => {
            const network = networkOf(
              19,
              { kind: "convolution", name: "conv1", filters: maps * groups, size: 5, stride: 2, padding: 0, groups: 1 },
              { kind: activation, name: "relu1" },
              { kind: "local-response-norm", name: "norm1", k: 2, n: 5, alpha: 1e-2, beta: 0.75 },
              ...(pool ? [{ kind: pool, name: "pool1", size: 3, stride: 2 } as const] : []),
              { kind: "convolution", name: "conv2", filters: maps * groups, size: 3, stride: 1, padding: 1, groups },
              { kind: "relu", name: "relu2" },
              { kind: "fully-connected", name: "fc3", outputs: units },
              { kind: activation, name: "relu3" },
              { kind: "dropout", name: "drop3", rate: 0.5 },
              { kind: "fully-connected", name: "fc4", outputs: classes },
            );
            const parameters = initialise(network, { deviation: "he", biases: {} }, seed);
            const batch = noiseBatch(samples, classes, seed);
            const preprocessing = { ...centred, scale: [1 / 64, 1 / 64, 1 / 64] } as const;
            const run = async (on: Engine) => {
              const program = await on.compile(network, {
                batchSize: samples,
                mode: "train",
                preprocessing,
                inputGradient: true,
              });
              await program.write("parameters", parameters);
              const options = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed };
              const result = await program.step(batch, options);
              const [gradients, inputGradient] = [await program.read("gradients"), await program.inputGradient()];
              const probabilities = await program.predict(batch);
              await program.close();
              return { ...result, gradients, inputGradient, probabilities };
            };
            const [actual, expected] = [await run(engine), await run(reference)];
            expectClose(Float64Array.of(actual.loss), Float64Array.of(expected.loss), tolerances.network, "loss");
            if (!tolerances.coarse) expect(actual.correct).toBe(expected.correct);
            expectClose(actual.probabilities, expected.probabilities, tolerances.network, "probabilities");
            if (isComparable(tolerances, network, "conv1"))
              expectClose(actual.inputGradient, expected.inputGradient, tolerances.network, "input gradient");
            for (const parameter of parameterTable(network)) {
              if (!isComparable(tolerances, network, parameter.layer)) continue;
              const [own, theirs] = [actual, expected].map(({ gradients }) => parameterView(gradients, parameter));
              expectClose(own, theirs, tolerances.network, `${parameter.name} gradient`);
            }
          },
        ),
        { seed: 2, numRuns: Math.ceil(runs / 4) },
      );
    });
  });
}
