import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CompileOptions, Engine, Program, StepOptions, Tensor } from "#src/engine/engine.js";
import type { EngineName, OpenOptions } from "#src/engine/host/engines.js";
import { dropoutMask } from "#src/engine/program/dropout-mask.js";
import { initialise } from "#src/network/initialise.js";
import type { Network } from "#src/network/network.js";
import { parameterCount, parameterTable, parameterView } from "#src/network/parameters.js";
import type { Batch } from "#src/network/picture.js";
import { classCount } from "#src/network/transform.js";
import { bits } from "#src/random.js";
import { tenViews } from "#src/store/views.js";
import { expectClose, expectTensorClose } from "./compare.js";
import { type GoldenFile, goldenFiles, goldenLayers, goldenNetwork } from "./golden.js";
import {
  centred,
  firstSamples,
  networkOf,
  noiseBatch,
  openIfPossible,
  picturesOf,
  plainView,
  SMALL_CLASSES,
  smallNetwork,
} from "./networks.js";

/** Largest relative errors. */
export interface Tolerances {
  /** Of one layer's outputs and gradients. */
  readonly layer: number;
  /** Of a network's gradients, and of its parameters after a few steps. */
  readonly network: number;
  readonly probabilities: number;
  /** Of what takes a few operations only, or is computed twice in slightly different ways. */
  readonly close: number;
  /**
   * What is rounded so coarsely that another value of a window becomes its largest, or several do: the gradient then goes
   * to another place than in exact arithmetic, and nothing below a max-pool can be compared. "values": a pool's own input
   * too.
   */
  readonly coarse?: "products" | "values";
}

/** Whether a layer's gradients, and parameters that began as 0, can be compared; see `Tolerances.coarse`. */
export function isComparable({ coarse }: Tolerances, { layers }: Network, layer: string): boolean {
  const index = layers.findIndex(({ name }) => name === layer);
  return !(coarse && layers.slice(index).some(({ kind }) => kind === "max-pool"));
}

/** A network of a few million multiply-adds in plain loops takes seconds, on a busy machine a minute. */
const SLOW = { timeout: 240_000 };

/** Memory may be rounded up to one. */
const LARGE_PAGE = 2 << 20;

const stepOptions: StepOptions = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 7 };

/** What every engine must do, whatever it runs on. */
export function conformance(name: EngineName, tolerances: Tolerances, options: OpenOptions = {}): void {
  describe(["engine", name, ...Object.values(options)].join(" "), () => {
    let engine: Engine;
    let unavailable: string | undefined;

    beforeAll(async () => {
      const opened = await openIfPossible(name, options);
      if (typeof opened === "string") console.warn(`engine ${name} is skipped: ${opened}`);
      if (typeof opened === "string") unavailable = opened;
      else engine = opened;
    });
    beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
    afterAll(async () => engine?.close());

    const compile = (network: Network, options: Partial<CompileOptions> = {}): Promise<Program> =>
      engine.compile(network, { batchSize: 3, mode: "train", preprocessing: centred, ...options });

    /** Compiled and initialised. */
    const prepared = async (network: Network, options: Partial<CompileOptions> = {}): Promise<Program> => {
      const program = await compile(network, options);
      await program.write("parameters", startOf(network));
      return program;
    };

    it("is the engine that was asked for", () => {
      expect(engine.description.engine).toBe(name);
      expect(engine.description.library).not.toBe("");
      expect(engine.description.threads).toBeGreaterThanOrEqual(1);
    });

    for (const [prefix, layerOf] of Object.entries(goldenLayers))
      describe(`${prefix} against golden values`, () => {
        it.each(goldenFiles(prefix))("$name", async (file) => {
          const [w, b] = [file.optional("w"), file.optional("b")];
          const inputs = { x: file.tensor("x"), dy: file.tensor("dy"), ...(w && { w }), ...(b && { b }) };
          const outputs = await engine.differentiate(layerOf(file), inputs);
          for (const key of ["y", "dx", "dw", "db"] as const) {
            if (key === "dx" && prefix === "max-pool" && tolerances.coarse === "values") continue;
            if (!file.has(key)) expect(outputs[key], key).toBeUndefined();
            else expectTensorClose(outputs[key], file.tensor(key), tolerances.layer, `${file.name} ${key}`);
          }
        });
      });

    it.each(goldenFiles("softmax-cross-entropy"))("$name against golden values", async (file) => {
      const { probabilities, loss, dlogits } = await engine.crossEntropy(file.tensor("logits"), file.labels("labels"));
      expectTensorClose(probabilities, file.tensor("probabilities"), tolerances.layer, "probabilities");
      expectTensorClose(dlogits, file.tensor("dlogits"), tolerances.layer, "dlogits");
      expectClose(Float64Array.of(loss), file.tensor("loss").data, tolerances.layer, "loss");
    });

    it("multiplies each sample's loss and gradient by its weight", async () => {
      const [file] = goldenFiles("softmax-cross-entropy");
      if (file === undefined) throw new Error("no golden values");
      const [logits, labels, unweighted] = [file.tensor("logits"), file.labels("labels"), file.tensor("dlogits")];
      const classes = logits.data.length / labels.length;
      const weights = Float32Array.from(labels, (_, sample) => [0.25, 0, 2.5][sample % 3]);
      const { loss, dlogits } = await engine.crossEntropy(logits, labels, weights);
      const expected = unweighted.data.map((value, i) => weights[Math.floor(i / classes)] * value);
      expectTensorClose(dlogits, { shape: logits.shape, data: expected }, tolerances.layer, "dlogits");
      const probabilities = file.tensor("probabilities").data;
      const losses = Array.from(labels, (label, i) => -weights[i] * Math.log(probabilities[i * classes + label]));
      const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
      expectClose(Float64Array.of(loss), Float64Array.of(mean), tolerances.layer, "loss");
      const ones = new Float32Array(labels.length).fill(1);
      expect(await engine.crossEntropy(logits, labels, ones)).toEqual(await engine.crossEntropy(logits, labels));
    });

    it("keeps softmax and loss finite for large logits", async () => {
      const logits = { shape: [1, 3], data: Float64Array.of(1000, 0, -1000) };
      const { probabilities, loss } = await engine.crossEntropy(logits, Int32Array.of(2));
      expect([...probabilities.data]).toEqual([1, 0, 0]);
      expect(loss).toBe(2000);
    });

    it("gives the gradient of equal maxima to the first", async () => {
      const x = { shape: [1, 1, 3, 5], data: Float64Array.of(0, 0, 0, 0, 2, 0, 1, 1, 2, 0, 0, 1, 1, 0, 0) };
      const dy = { shape: [1, 1, 1, 2], data: Float64Array.of(3, 5) };
      const { y, dx } = await engine.differentiate({ kind: "max-pool", name: "pool", size: 3, stride: 2 }, { x, dy });
      expect([...y.data]).toEqual([1, 2]);
      expect([...dx.data]).toEqual([0, 0, 0, 0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
    });

    describe("three steps of the paper's update rule", () => {
      it.each(goldenFiles("narrow-network-three-steps"))("$name", SLOW, async (file) => {
        const steps = new GoldenSteps(file);
        const program = await compile(steps.network, { batchSize: steps.batchSize });
        await program.write("parameters", steps.initial);
        for (const [step, learningRate] of steps.learningRates.entries()) {
          const batch = steps.batch(step);
          const predicted = await program.predict(batch);
          const { loss } = await program.step(batch, { ...steps.options, learningRate, seed: step });
          // After a step, coarse products differ by the windows whose largest value became another: by how much hangs on
          // the values, not on the format.
          if (step === 0 || !tolerances.coarse) {
            const tolerance = tolerances.coarse ? tolerances.probabilities : tolerances.network;
            const probabilities = softmax(file.tensor(`step${step}.logits`));
            expectClose(predicted, probabilities, tolerance, `step ${step} probabilities`);
            expectClose(Float64Array.of(loss), file.tensor(`step${step}.loss`).data, tolerance, `step ${step} loss`);
          }
          if (step === 0) await steps.expectState(program, "gradients", "step0.gradient.", tolerances);
        }
        await steps.expectState(program, "parameters", "final.", tolerances);
        await program.close();
      });
    });

    it.each(goldenFiles("narrow-network-three-steps"))("$name: activations", SLOW, async (file) => {
      const steps = new GoldenSteps(file);
      const observe = steps.network.layers.map(({ name: layer }) => layer).filter((layer) => file.has(meanOf(layer)));
      expect(observe).not.toEqual([]);
      const program = await compile(steps.network, { batchSize: steps.batchSize, mode: "predict", observe });
      await program.write("parameters", steps.initial);
      await program.predict(steps.batch(0));
      for (const layer of observe) {
        const activation = await program.activation(layer);
        const mean = activation.reduce((sum, value) => sum + Math.abs(value), 0) / activation.length;
        expectClose(Float64Array.of(mean), file.tensor(meanOf(layer)).data, tolerances.network, layer);
      }
      await program.close();
    });

    it.each(goldenFiles("narrow-network-ten-views"))("$name: mean softmax of ten views", SLOW, async (file) => {
      const network = goldenNetwork(file, file.number("crop"));
      const picture = file.tensor("picture");
      const program = await compile(network, { batchSize: 10, mode: "predict" });
      await program.write("parameters", file.concatenated("initial.", parameterNames(network)));
      const batch = {
        pictures: picturesOf({ shape: [1, ...picture.shape], data: picture.data }),
        views: tenViews({ pictureSize: 256, cropSize: file.number("crop") }),
        labels: new Int32Array(),
      };
      const all = await program.predict(batch);
      const mean = new Float64Array(classCount(network));
      all.forEach((probability, i) => {
        mean[i % mean.length] += probability / 10;
      });
      expectTensorClose(
        { shape: [mean.length], data: mean },
        file.tensor("probabilities"),
        tolerances.probabilities,
        file.name,
      );
      await program.close();
    });

    it.each([
      [1, 256],
      [3, 256],
      [4, 256],
      [6, 256],
      [6, 6],
      [5, 7],
      [7, 32],
      [3, 300],
    ])(
      "crops to %i out of pictures of %i, mirrors, shifts, subtracts the mean at the picture's place, scales",
      async (size, pictureSize) => {
        const bytes = pictureSize * pictureSize * 3;
        const far = pictureSize - size;
        const values = 3 * size * size;
        const network = networkOf(size, { kind: "fully-connected", name: "copy", outputs: values });
        const mean = Float32Array.from({ length: bytes }, (_, i) => (i * 31) % 255);
        const scale = [1 / 64, 1 / 100, 1 / 128] as const;
        const views = [
          { picture: 1, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] },
          { picture: 0, top: 0, left: 0, mirrored: true, colourShift: [0, 2, 0] },
          { picture: 0, top: far, left: far, mirrored: true, colourShift: [1.5, -20, 7.25] },
          { picture: 1, top: far, left: far, mirrored: false, colourShift: [0, 0, 0] },
          {
            picture: 1,
            top: Math.min(17, far),
            left: Math.floor(far * 0.83),
            mirrored: true,
            colourShift: [-3, 0, 0.5],
          },
        ] as const;
        const pictures = new Uint8Array(new SharedArrayBuffer(2 * bytes)).map((_, i) => bits(i));
        const program = await compile(network, {
          batchSize: views.length,
          mode: "predict",
          preprocessing: { mean, scale },
        });
        await program.write("parameters", identityWithoutBias(values));

        const expected = views.flatMap(({ picture, top, left, mirrored, colourShift }) => {
          const row = Float64Array.from({ length: values }, (_, i) => {
            const [channel, y, x] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
            const at = ((top + y) * pictureSize + left + (mirrored ? size - 1 - x : x)) * 3 + channel;
            return (pictures[picture * bytes + at] + colourShift[channel] - mean[at]) * scale[channel];
          });
          return [...softmax({ shape: [1, values], data: row })];
        });
        const probabilities = await program.predict({ pictures, views, labels: new Int32Array() });
        expectClose(probabilities, Float64Array.from(expected), tolerances.close, "softmax of the input");
        await program.close();
      },
    );

    it("repeats itself bit for bit", async () => {
      const run = async () => {
        const program = await prepared(smallNetwork);
        const losses: number[] = [];
        for (const seed of [1, 2, 3])
          losses.push((await program.step(noiseBatch(3, SMALL_CLASSES, seed), { ...stepOptions, seed })).loss);
        const states = [await program.read("parameters"), await program.read("momentum")];
        await program.close();
        return { losses, states };
      };
      expect(await run()).toEqual(await run());
    });

    it("is exact for batches that are not full, whatever came before them", async () => {
      const batch = noiseBatch(5, SMALL_CLASSES);
      const partial = firstSamples(batch, 2);
      const [large, fitting] = await Promise.all([5, 2].map((batchSize) => prepared(smallNetwork, { batchSize })));
      await large.step(batch, { ...stepOptions, learningRate: 0 });
      await large.write("momentum", new Float32Array(parameterCount(smallNetwork)));
      const results = [await large.step(partial, stepOptions), await fitting.step(partial, stepOptions)];
      expect(results[0].correct).toBe(results[1].correct);
      expectClose(Float64Array.of(results[0].loss), Float64Array.of(results[1].loss), tolerances.close, "loss");
      for (const state of ["gradients", "parameters"] as const)
        expectClose(await large.read(state), await fitting.read(state), tolerances.close, state);
      const probabilities = [await large.predict(partial), await fitting.predict(partial)];
      expect(probabilities[0].length).toBe(2 * SMALL_CLASSES);
      expectClose(probabilities[0], probabilities[1], tolerances.close, "probabilities");
      await Promise.all([large.close(), fitting.close()]);
    });

    it("updates by its gradients, learning rate, momentum, decay and multipliers; frozen parameters stay", async () => {
      const multipliers = {
        "conv1.weight": { learningRate: 0, weightDecay: 1 },
        "conv2.bias": { learningRate: 2, weightDecay: 0 },
        "fc4.weight": { learningRate: 10, weightDecay: 3 },
      };
      const program = await prepared(smallNetwork, { multipliers });
      await program.write("momentum", startOf(smallNetwork, 2));
      for (const [learningRate, seed] of [
        [0.01, 1],
        [0.003, 2],
      ]) {
        const before = { w: await program.read("parameters"), v: await program.read("momentum") };
        await program.step(noiseBatch(3, SMALL_CLASSES, seed), { ...stepOptions, weightDecay: 0.05, learningRate });
        const [w, v, g] = [
          await program.read("parameters"),
          await program.read("momentum"),
          await program.read("gradients"),
        ];
        for (const parameter of parameterTable(smallNetwork)) {
          const [w0, v0, w1, v1, g1] = [before.w, before.v, w, v, g].map((all) => parameterView(all, parameter));
          const factor = Object.entries(multipliers).find(([key]) => key === parameter.name)?.[1];
          const rate = learningRate * (factor?.learningRate ?? 1);
          const decay = 0.05 * (factor?.weightDecay ?? 1);
          if (rate === 0) {
            expect(w1, parameter.name).toEqual(w0);
            continue;
          }
          const expected = v0.map((value, i) => 0.9 * value - decay * rate * w0[i] - rate * g1[i]);
          expectClose(v1, expected, tolerances.close, `${parameter.name} momentum`);
          expectClose(
            w1,
            w0.map((value, i) => value + expected[i]),
            tolerances.close,
            parameter.name,
          );
        }
      }
      await program.close();
    });

    it.each(["conv1", "relu1", "pool1", "fc3", "relu3"])(
      "begins after %s as if frozen layers had run",
      async (after) => {
        const layers = smallNetwork.layers.slice(
          0,
          smallNetwork.layers.findIndex(({ name: layer }) => layer === after) + 1,
        );
        const frozen = parameterTable(smallNetwork).filter(({ layer }) =>
          layers.some(({ name: one }) => one === layer),
        );
        const still = { learningRate: 0, weightDecay: 1 };
        const multipliers = Object.fromEntries(frozen.map(({ name: parameter }) => [parameter, still]));
        const whole = await prepared(smallNetwork, { multipliers, observe: [after] });
        const rest = await prepared(smallNetwork, { after });
        for (const [seed, samples] of [
          [1, 3],
          [2, 2],
        ]) {
          const batch = noiseBatch(samples, SMALL_CLASSES, seed);
          const expected = await whole.step(batch, { ...stepOptions, seed });
          const activations = await whole.activation(after);
          const begun = { ...batch, pictures: new Uint8Array(), activations };
          const result = await rest.step(begun, { ...stepOptions, seed });
          expect(result.correct).toBe(expected.correct);
          expectClose(Float64Array.of(result.loss), Float64Array.of(expected.loss), tolerances.close, "loss");
          for (const state of ["parameters", "momentum"] as const)
            expectClose(await rest.read(state), await whole.read(state), Math.max(1e-5, tolerances.close), state);
          expectClose(
            await rest.predict(begun),
            await whole.predict(batch),
            Math.max(1e-5, tolerances.close),
            "probabilities",
          );
        }
        const start = startOf(smallNetwork);
        const end = await rest.read("parameters");
        for (const parameter of frozen) expect(parameterView(end, parameter)).toEqual(parameterView(start, parameter));
        await expect(rest.step(noiseBatch(3, SMALL_CLASSES), stepOptions)).rejects.toThrow(
          /no activations; 3 samples need/,
        );
        await Promise.all([whole.close(), rest.close()]);
      },
    );

    it("begins only after layers that something follows, and shows only what runs", async () => {
      await expect(compile(smallNetwork, { after: "conv9" })).rejects.toThrow(/no layer conv9/);
      await expect(compile(smallNetwork, { after: "fc4" })).rejects.toThrow(/fc4 is the last layer/);
      await expect(compile(smallNetwork, { after: "pool1", observe: ["conv1"] })).rejects.toThrow(/conv1 does not run/);
      await expect(compile(smallNetwork, { after: "pool1", inputGradient: true })).rejects.toThrow(/sees no input/);
    });

    it("drops the units that dropoutMask drops, only in training", async () => {
      const [units, samples, rate] = [300, 3, 0.3];
      const network = networkOf(
        8,
        { kind: "fully-connected", name: "ones", outputs: units },
        { kind: "dropout", name: "drop", rate },
        { kind: "fully-connected", name: "out", outputs: samples },
      );
      // All units are 1 and all logits 0: the gradient of out.weight shows the masks.
      const start = new Float32Array(parameterCount(network));
      const ones = parameterTable(network)[1];
      start.fill(1, ones.offset, ones.offset + ones.count);
      const program = await compile(network);
      await program.write("parameters", start);
      const batch = { ...noiseBatch(samples, samples), labels: Int32Array.of(0, 1, 2) };
      await program.step(batch, { ...stepOptions, seed: 99 });

      const masks = Array.from({ length: samples }, (_, sample) => {
        const mask = new Float64Array(units);
        dropoutMask(mask, rate, 99, 1, sample);
        return mask;
      });
      const expected = Float64Array.from({ length: samples * units }, (_, i) => {
        const [output, unit] = [Math.floor(i / units), i % units];
        return masks.reduce(
          (sum, mask, sample) => sum + (mask[unit] * (1 / samples - (sample === output ? 1 : 0))) / samples,
          0,
        );
      });
      const gradients = await program.read("gradients");
      expectClose(
        parameterView(gradients, parameterTable(network)[2]),
        expected,
        tolerances.close,
        "out.weight gradient",
      );

      await program.write("parameters", start);
      const without = networkOf(8, ...network.layers.filter(({ kind }) => kind !== "dropout"));
      const plain = await compile(without, { mode: "predict" });
      await plain.write("parameters", start);
      expect(await program.predict(batch)).toEqual(await plain.predict(batch));
      await Promise.all([program.close(), plain.close()]);
    });

    it("counts the samples whose label has the highest probability", async () => {
      const network = networkOf(8, { kind: "fully-connected", name: "out", outputs: 4 });
      const program = await compile(network);
      const parameters = new Float32Array(parameterCount(network));
      parameters.set([0, 3, 1, 2], parameters.length - 4);
      await program.write("parameters", parameters);
      const batch = noiseBatch(3, 4);
      const step = async (...labels: number[]) =>
        (await program.step({ ...batch, labels: Int32Array.from(labels) }, { ...stepOptions, learningRate: 0 }))
          .correct;
      expect([await step(1, 1, 1), await step(1, 0, 1), await step(3, 2, 0)]).toEqual([3, 2, 0]);
      await program.close();
    });

    it("passes NaN on instead of hiding it, and learns nothing from it", async () => {
      const program = await prepared(smallNetwork);
      const parameters = startOf(smallNetwork);
      parameters[parameters.length - 1] = Number.NaN; // in the last bias: rectifiers may drop NaN
      await program.write("parameters", parameters);
      const { loss, correct } = await program.step(noiseBatch(3, SMALL_CLASSES), stepOptions);
      expect(loss).toBeNaN();
      expect(correct).toBe(0);
      expect(await program.read("parameters")).toEqual(parameters);
      expect(await program.read("momentum")).toEqual(new Float32Array(parameters.length));
      await program.close();
    });

    it("gives the gradient of scores without dropout, whatever the step before dropped", async () => {
      const program = await prepared(smallNetwork, { inputGradient: true });
      const batch = noiseBatch(3, SMALL_CLASSES);
      const before = await program.scoreGradient(batch);
      expect(before.length).toBe(3 * 3 * 15 * 15);
      expect(before.some((value) => value !== 0)).toBe(true);
      await program.step(batch, { ...stepOptions, learningRate: 0, seed: 5 });
      expect(await program.scoreGradient(batch)).toEqual(before);
      expect(await program.read("parameters")).toEqual(startOf(smallNetwork));

      const layers = smallNetwork.layers.filter(({ kind }) => kind !== "dropout");
      const plain = await compile({ ...smallNetwork, layers }, { inputGradient: true });
      await plain.write("parameters", startOf(smallNetwork));
      expect(await plain.scoreGradient(batch)).toEqual(before);
      await Promise.all([program.close(), plain.close()]);
    });

    it("learns from a sample of twice another's weight what it does from that sample twice", async () => {
      const network = { ...smallNetwork, layers: smallNetwork.layers.filter(({ kind }) => kind !== "dropout") };
      const two = firstSamples(noiseBatch(3, SMALL_CLASSES, 6), 2);
      const [first, second] = two.labels;
      const twice = { ...two, views: [0, 0, 1].map((i) => two.views[i]), labels: Int32Array.of(first, first, second) };
      const learnt = async (batch: Batch) => {
        const program = await prepared(network);
        const { loss, correct } = await program.step(batch, stepOptions);
        const gradients = await program.read("gradients");
        await program.close();
        return { loss, correct, gradients };
      };
      const [expected, found] = [await learnt(twice), await learnt({ ...two, weights: Float32Array.of(4 / 3, 2 / 3) })];
      expectClose(Float64Array.of(found.loss), Float64Array.of(expected.loss), tolerances.close, "loss");
      for (const parameter of parameterTable(network))
        if (isComparable(tolerances, network, parameter.layer))
          expectClose(
            parameterView(found.gradients, parameter),
            parameterView(expected.gradients, parameter),
            tolerances.network,
            `${parameter.name} gradient`,
          );
      const plain = await learnt(two);
      expect(found.correct).toBe(plain.correct); // a sample counts once, whatever its weight
      expect(plain.loss).not.toBe(found.loss);
    });

    describe("a split step", () => {
      /** Of 3 and 2 samples. */
      const batches: readonly Batch[] = [
        noiseBatch(3, SMALL_CLASSES, 1),
        { ...firstSamples(noiseBatch(3, SMALL_CLASSES, 2), 2), weights: Float32Array.of(0.5, 3) },
      ];
      const stateOf = async (program: Program) => ({
        parameters: await program.read("parameters"),
        momentum: await program.read("momentum"),
        gradients: await program.read("gradients"),
      });

      it.each([0, 1000, 1e9])("gives the bits of a whole step, in buckets of %i bytes", async (bucketBytes) => {
        const [whole, split] = [await prepared(smallNetwork), await prepared(smallNetwork, { bucketBytes })];
        const learning = ["fc4", "fc3", "conv2", "conv1"];
        expect(split.buckets.flatMap(({ layers }) => layers)).toEqual(learning);
        expect(split.buckets.length).toBe({ 0: 4, 1000: 2, 1e9: 1 }[bucketBytes]);
        expect(whole.buckets).toEqual([]);
        for (const [seed, batch] of [...batches, ...batches].entries()) {
          const expected = await whole.step(batch, { ...stepOptions, seed });
          const parts = [split.forward(batch, { seed }), ...split.buckets.map((_, i) => split.backward(i))];
          const [result] = await Promise.all(parts);
          await split.update(stepOptions);
          expect(result).toEqual(expected);
          expect(await stateOf(split)).toEqual(await stateOf(whole));
        }
        // Whole steps of the same program go on from there.
        const results = await Promise.all([whole, split].map((program) => program.step(batches[0], stepOptions)));
        expect(results[0]).toEqual(results[1]);
        expect(await stateOf(split)).toEqual(await stateOf(whole));
        await Promise.all([whole.close(), split.close()]);
      });

      it("is updated by what the caller leaves in the buckets", async () => {
        const program = await prepared(smallNetwork, { bucketBytes: 0 });
        await program.forward(batches[0], { seed: 1 });
        for (const [i, { values }] of program.buckets.entries()) {
          await program.backward(i);
          expect(values.some((value) => value !== 0)).toBe(true);
          values.fill(0);
        }
        await program.update({ ...stepOptions, weightDecay: 0 });
        expect(await program.read("parameters")).toEqual(startOf(smallNetwork));
        expect((await program.read("gradients")).every((value) => value === 0)).toBe(true);
        await program.close();
      });

      it("on shares of a batch, summed, updates by the mean over all of its samples", async () => {
        const ranks = [
          await prepared(smallNetwork, { bucketBytes: 0 }),
          await prepared(smallNetwork, { bucketBytes: 0 }),
        ];
        const batch = noiseBatch(3, SMALL_CLASSES, 4);
        const shares = [
          firstSamples(batch, 2),
          { ...batch, views: batch.views.slice(2), labels: batch.labels.slice(2) },
        ];
        const results = await Promise.all(
          ranks.map((program, rank) => program.forward(shares[rank], { seed: 3, samples: 3 })),
        );
        const single = await Promise.all(
          shares.map(async (share) => {
            const program = await prepared(smallNetwork, { bucketBytes: 1e9 });
            const { loss, correct } = await program.forward(share, { seed: 3 });
            await program.backward(0);
            const gradients = await program.read("gradients");
            await program.close();
            return { loss, correct, gradients, samples: share.views.length };
          }),
        );
        const weighted = (value: (one: (typeof single)[number]) => number): number =>
          single.reduce((sum, one) => sum + (one.samples / 3) * value(one), 0);
        const loss = results.reduce((sum, result) => sum + result.loss, 0);
        expectClose(Float64Array.of(loss), Float64Array.of(weighted((one) => one.loss)), tolerances.close, "loss");
        for (const i of ranks[0].buckets.keys()) {
          await Promise.all(ranks.map((program) => program.backward(i)));
          const [first, second] = ranks.map(({ buckets }) => buckets[i].values);
          first.forEach((value, at) => {
            first[at] = second[at] = value + second[at];
          });
        }
        await Promise.all(ranks.map((program) => program.update(stepOptions)));
        expect(await stateOf(ranks[0])).toEqual(await stateOf(ranks[1]));
        const gradients = await ranks[0].read("gradients");
        const expected = gradients.map((_, at) => weighted((one) => one.gradients[at]));
        for (const parameter of parameterTable(smallNetwork))
          if (isComparable(tolerances, smallNetwork, parameter.layer))
            expectClose(
              parameterView(gradients, parameter),
              parameterView(expected, parameter),
              Math.max(1e-5, tolerances.close),
              `${parameter.name} gradient`,
            );
        await Promise.all(ranks.map((program) => program.close()));
      });

      it("takes no share of a batch, whose gradients are 0", async () => {
        const program = await prepared(smallNetwork, { bucketBytes: 1e9 });
        const nothing = { ...batches[0], views: [], labels: new Int32Array() };
        expect(await program.forward(nothing, { seed: 1, samples: 5 })).toMatchObject({ loss: 0, correct: 0 });
        await program.backward(0);
        expect(program.buckets[0].values.every((value) => value === 0)).toBe(true);
        await program.close();
      });

      it("on a share of a batch drops what the whole batch drops there", async () => {
        const whole = await prepared(smallNetwork, { bucketBytes: 1e9 });
        const share = await prepared(smallNetwork, { bucketBytes: 1e9 });
        const batch = noiseBatch(3, SMALL_CLASSES, 4);
        const { loss } = await whole.forward(batch, { seed: 3 });
        const lossesOf = async (firstSamples: readonly number[]): Promise<number> => {
          let sum = 0;
          for (const [i, firstSample] of firstSamples.entries()) {
            const one = { ...batch, views: batch.views.slice(i, i + 1), labels: batch.labels.slice(i, i + 1) };
            sum += (await share.forward(one, { seed: 3, samples: 3, firstSample })).loss;
          }
          return sum;
        };
        expectClose(Float64Array.of(await lossesOf([0, 1, 2])), Float64Array.of(loss), tolerances.close, "loss");
        expect(Math.abs((await lossesOf([0, 0, 0])) / loss - 1)).toBeGreaterThan(1e-4);
        await expect(share.forward(batch, { seed: 3, samples: 3, firstSample: 1 })).rejects.toThrow(
          "3 samples from number 1 on, of 3 in the whole batch",
        );
        await Promise.all([whole.close(), share.close()]);
      });

      it("works on frozen layers as a whole step does", async () => {
        const still = { learningRate: 0, weightDecay: 1 };
        const multipliers = { "conv2.weight": still, "conv2.bias": still, "fc4.bias": still };
        const whole = await prepared(smallNetwork, { multipliers });
        const split = await prepared(smallNetwork, { multipliers, bucketBytes: 0 });
        expect(split.buckets.map(({ layers }) => layers)).toEqual([["fc4"], ["fc3"], ["conv1"]]);
        for (const seed of [1, 2]) {
          await whole.step(batches[0], { ...stepOptions, seed });
          await split.forward(batches[0], { seed });
          for (const i of split.buckets.keys()) await split.backward(i);
          await split.update(stepOptions);
        }
        for (const state of ["parameters", "momentum"] as const)
          expect(await split.read(state)).toEqual(await whole.read(state));
        await Promise.all([whole.close(), split.close()]);
      });
    });

    it("gives back what was written, as a copy", async () => {
      const program = await compile(smallNetwork);
      for (const state of ["parameters", "momentum"] as const) {
        const values = startOf(smallNetwork, 3);
        await program.write(state, values);
        const first = await program.read(state);
        expect(first).toEqual(values);
        first.fill(0);
        expect(await program.read(state)).toEqual(values);
      }
      await program.close();
    });

    it("keeps programs apart", async () => {
      const [alone, beside] = [await prepared(smallNetwork), await prepared(smallNetwork)];
      const other = await prepared(smallNetwork, { batchSize: 1, mode: "predict" });
      const batch = noiseBatch(3, SMALL_CLASSES);
      for (const seed of [1, 2]) await alone.step(batch, { ...stepOptions, seed });
      for (const seed of [1, 2]) {
        await beside.step(batch, { ...stepOptions, seed });
        await other.predict(firstSamples(batch, 1));
      }
      expect(await beside.read("parameters")).toEqual(await alone.read("parameters"));
      // A program that predicts may hold them in the products' precision.
      expectClose(await other.read("parameters"), startOf(smallNetwork), tolerances.close, "parameters");
      await Promise.all([alone, beside, other].map((program) => program.close()));
    });

    it("estimates the memory that a program then holds", async () => {
      for (const mode of ["train", "predict"] as const) {
        const program = await compile(smallNetwork, { mode });
        const estimate = await engine.estimateMemory(smallNetwork, { batchSize: 3, mode });
        expect(program.memoryBytes).toBeGreaterThanOrEqual(estimate);
        expect(program.memoryBytes - estimate).toBeLessThanOrEqual(LARGE_PAGE);
        await program.close();
      }
    });

    it("measures the machine's matrix rate", async () => {
      expect(await engine.measureMatrixRate(64)).toBeGreaterThan(1e6);
    });

    describe("refuses, saying why,", () => {
      const refused = async (call: Promise<unknown>, message: RegExp) =>
        expect(call).rejects.toMatchObject({
          name: "AlexnetError",
          code: "invalid-option",
          message: expect.stringMatching(message),
        });

      it("training calls of a program compiled to predict", async () => {
        const program = await compile(smallNetwork, { mode: "predict" });
        await refused(program.step(noiseBatch(1, SMALL_CLASSES), stepOptions), /step: .* mode "train"/);
        await refused(program.read("momentum"), /momentum: .* mode "train"/);
        await refused(program.write("momentum", startOf(smallNetwork)), /momentum: .* mode "train"/);
        await program.close();
      });
    });
  });
}

/** A golden file of update steps. */
class GoldenSteps {
  readonly network: Network;
  readonly batchSize: number;
  readonly learningRates: Float64Array;
  readonly options: Omit<StepOptions, "learningRate" | "seed">;
  readonly #file: GoldenFile;
  readonly #images: Tensor; // (steps, batch, 3, size, size)

  constructor(file: GoldenFile) {
    this.#file = file;
    this.#images = file.tensor("images");
    const [, batchSize, , size] = this.#images.shape;
    this.batchSize = batchSize;
    this.network = goldenNetwork(file, size);
    this.learningRates = file.tensor("learning_rates").data;
    this.options = { momentum: file.number("momentum"), weightDecay: file.number("weight_decay") };
  }

  get initial(): Float32Array {
    return this.#file.concatenated("initial.", parameterNames(this.network));
  }

  batch(step: number): Batch {
    const shape = this.#images.shape.slice(1);
    const length = shape.reduce((a, b) => a * b, 1);
    const data = this.#images.data.subarray(step * length, (step + 1) * length);
    return {
      pictures: picturesOf({ shape, data }),
      views: Array.from({ length: this.batchSize }, (_, picture) => ({ ...plainView, picture })),
      labels: this.#file.labels("labels").subarray(step * this.batchSize, (step + 1) * this.batchSize),
    };
  }

  async expectState(
    program: Program,
    state: "gradients" | "parameters",
    prefix: string,
    tolerances: Tolerances,
  ): Promise<void> {
    const values = await program.read(state);
    for (const parameter of parameterTable(this.network)) {
      if (!isComparable(tolerances, this.network, parameter.layer)) continue;
      const { shape, data } = this.#file.tensor(`${prefix}${parameter.name}`);
      expect(parameter.shape, parameter.name).toEqual(shape);
      expectClose(parameterView(values, parameter), data, tolerances.network, `${prefix}${parameter.name}`);
    }
  }
}

/** Where a file of steps has the mean absolute activation of a layer. */
function meanOf(layer: string): string {
  return `step0.activation.${layer}.mean_abs`;
}

function parameterNames(network: Network): readonly string[] {
  return parameterTable(network).map(({ name }) => name);
}

function startOf(network: Network, seed = 1): Float32Array {
  return initialise(network, { deviation: 0.1, biases: {} }, seed);
}

/** Weights and biases of a fully connected layer that copies its input. */
function identityWithoutBias(size: number): Float32Array {
  const parameters = new Float32Array(size * size + size);
  for (let i = 0; i < size; i++) parameters[i * size + i] = 1;
  return parameters;
}

/** Of each row of (samples, classes). */
function softmax({ shape, data }: Tensor): Float64Array {
  const classes = shape[1];
  const powers = data.map(Math.exp);
  return powers.map((power, i) => {
    const start = i - (i % classes);
    return power / powers.subarray(start, start + classes).reduce((a, b) => a + b, 0);
  });
}
