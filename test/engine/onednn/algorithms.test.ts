import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Engine, type Precision, pictureShape } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { Algorithms, type Candidate, type Sources } from "#src/engine/onednn/algorithms.js";
import { initialise } from "#src/network/initialise.js";
import type { Convolution } from "#src/network/network.js";
import { parameterTable, parameterView, weightShape } from "#src/network/parameters.js";
import { outputShape } from "#src/network/shapes.js";
import { expectClose, expectTensorClose } from "../../support/compare.js";
import { temporaryFolder } from "../../support/folders.js";
import { centred, networkOf, noiseBatch, normalTensor, openIfPossible } from "../../support/networks.js";
import { tolerances } from "../../support/tolerances.js";

const LARGE = 1e9; // operations

const inBfloat16 = await openIfPossible("onednn", { precision: "bf16" });
/** Why there is no bfloat16 here. */
const bfloat16 = typeof inBfloat16 === "string" ? inBfloat16 : undefined;
if (typeof inBfloat16 !== "string") await inBfloat16.close();

describe("choosing", () => {
  let folder: string;
  let file: string;
  let now = 0;
  let runs: string[] = [];
  let open = 0;

  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, "choices", "onednn.json");
    runs = [];
    now = 0;
  });
  afterEach(() => {
    expect(open, "trials left open").toBe(0);
  });

  /** Takes `milliseconds`; the first run, which touches memory, may take others. */
  const candidate = (name: string, milliseconds: number, first = milliseconds, description = "jit"): Candidate => ({
    name,
    describe: () => description,
    prepare() {
      let count = 0;
      open++;
      return {
        run() {
          runs.push(name);
          now += count++ === 0 ? first : milliseconds;
        },
        close() {
          open--;
        },
      };
    },
  });

  const algorithms = (sources: Partial<Sources> = {}, machine = "a machine") =>
    new Algorithms(machine, { measures: true, preference: "measure", file, clock: () => now, ...sources });
  const chosenOf = (candidates: readonly Candidate[], sources?: Partial<Sources>, machine?: string): string =>
    algorithms(sources, machine).choose("conv1 forward", "1x1", LARGE, candidates).name;

  const slowAndQuick = [candidate("slow", 100), candidate("quick", 80)];

  it("takes the quickest, by the least of several times in turns", () => {
    expect(chosenOf([...slowAndQuick, candidate("middling", 90)])).toBe("quick");
    expect(runs.slice(0, 6)).toEqual(["slow", "quick", "middling", "slow", "quick", "middling"]);
  });

  it("judges nothing by a first run that is only somewhat slower", () => {
    expect(chosenOf([candidate("slow", 100), candidate("quick", 50, 190)])).toBe("quick");
  });

  it("keeps the first unless another is clearly quicker", () => {
    expect(chosenOf([candidate("usual", 100), candidate("other", 96)])).toBe("usual");
  });

  it("runs what is far behind only once", () => {
    expect(chosenOf([candidate("usual", 500), candidate("quick", 100), candidate("near", 110)])).toBe("quick");
    expect(runs.filter((name) => name === "usual")).toHaveLength(1);
    runs = [];
    expect(chosenOf([candidate("usual", 500), candidate("alone", 100)])).toBe("alone");
    expect(runs).toEqual(["usual", "alone"]);
  });

  it("remembers, in this process and the next", () => {
    chosenOf(slowAndQuick);
    runs = [];
    expect(chosenOf(slowAndQuick)).toBe("quick");
    expect(chosenOf(slowAndQuick, { measures: false })).toBe("quick");
    expect(runs).toEqual([]);
    expect(readdirSync(dirname(file))).toEqual(["onednn.json"]);
  });

  it("measures again when the machine, the problem or what the candidates are is another", () => {
    const ways = [candidate("slow", 100), candidate("quick", 80)];
    const changes: (() => unknown)[] = [
      () => chosenOf(ways),
      () => chosenOf(ways, {}, "another machine"),
      () => algorithms().choose("conv1 forward", "2x2", LARGE, ways),
      () => chosenOf([candidate("slow", 100), candidate("quick", 80, 80, "gemm")]),
    ];
    for (const choose of changes) {
      runs = [];
      choose();
      expect(runs).not.toEqual([]);
    }
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")))).toHaveLength(changes.length);
  });

  it.each(["", "{", "null", "[1, 2]", '"text"', '{"a": 1}'])("measures again when the file holds %j", (damage) => {
    chosenOf(slowAndQuick);
    writeFileSync(file, damage);
    runs = [];
    expect(chosenOf(slowAndQuick)).toBe("quick");
    expect(runs).not.toEqual([]);
    runs = [];
    expect(chosenOf(slowAndQuick)).toBe("quick");
    expect(runs).toEqual([]);
  });

  it("measures again what names none of the candidates", () => {
    chosenOf(slowAndQuick);
    writeFileSync(file, readFileSync(file, "utf8").replace('"quick"', '"gone"'));
    expect(chosenOf(slowAndQuick)).toBe("quick");
  });

  it("does without a file that can't be written", () => {
    writeFileSync(join(folder, "choices"), "in the way");
    expect(chosenOf(slowAndQuick)).toBe("quick");
  });

  it("takes the first without measuring, where it may not or it isn't worth it", () => {
    expect(chosenOf(slowAndQuick, { measures: false })).toBe("slow");
    expect(chosenOf(slowAndQuick, { preference: "default" })).toBe("slow");
    expect(algorithms().choose("conv1 forward", "1x1", 1e6, slowAndQuick).name).toBe("slow");
    expect(algorithms().choose("conv1 forward", "1x1", LARGE, slowAndQuick.slice(0, 1)).name).toBe("slow");
    expect(runs).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  it("takes what is given, before all else, and says what was taken", () => {
    const given = { "conv1 forward": "slow", "conv2 forward": "gone" };
    const choosing = algorithms({ given, preference: "quick" });
    for (const layer of ["conv1", "conv2"]) choosing.choose(`${layer} forward`, "1x1", LARGE, slowAndQuick);
    choosing.choose("conv3 forward", "1x1", LARGE, slowAndQuick.slice(0, 1));
    expect(choosing.chosen).toEqual({ "conv1 forward": "slow", "conv2 forward": "quick" });
    expect(runs).toEqual([]);
  });

  it("closes its trials when one fails", () => {
    const failing: Candidate = {
      ...candidate("failing", 1),
      prepare: () => {
        throw new Error("no memory");
      },
    };
    expect(() => chosenOf([candidate("usual", 1), failing])).toThrow("no memory");
  });
});

describe("onednn's", () => {
  const usual = process.env.ALEXNET_ALGORITHMS;
  let reference: Engine;
  let unavailable: string | undefined;

  beforeAll(async () => {
    reference = await openEngine("reference");
    const opened = await openIfPossible("onednn");
    if (typeof opened === "string") unavailable = opened;
    else await opened.close();
  });
  beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
  afterEach(() => {
    process.env.ALEXNET_ALGORITHMS = usual;
  });
  afterAll(() => reference.close());

  const preferring = async (
    preference: string,
    use: (engine: Engine) => Promise<void>,
    precision: Precision = "float32",
  ): Promise<void> => {
    process.env.ALEXNET_ALGORITHMS = preference;
    const engine = await openEngine("onednn", { precision });
    try {
      await use(engine);
    } finally {
      await engine.close();
    }
  };

  const window = { kind: "convolution", name: "conv", size: 3, stride: 1, padding: 1, groups: 1, filters: 32 } as const;
  const cases: readonly (readonly [Convolution, readonly number[]])[] = [
    [window, [2, 16, 13, 13]],
    [{ ...window, groups: 2 }, [2, 32, 13, 13]],
    [{ ...window, filters: 5 }, [3, 7, 6, 9]],
    [{ ...window, size: 5, padding: 2 }, [2, 16, 9, 9]],
    [{ ...window, size: 5, padding: 2, groups: 2, filters: 64 }, [2, 32, 9, 11]],
    [{ ...window, size: 6, padding: 1 }, [2, 16, 14, 9]],
    [{ ...window, size: 11, stride: 4, padding: 0 }, [2, 3, 35, 35]],
    [{ ...window, size: 11, stride: 4, padding: 2 }, [2, 3, 38, 34]],
    [{ ...window, size: 7, stride: 3, padding: 1 }, [2, 16, 21, 26]],
  ];

  it.for([
    ["direct", "float32"],
    ["product", "float32"],
    ["winograd", "float32"],
    ["direct", "bf16"],
    ["product", "bf16"],
    ["space-to-depth", "bf16"],
  ] as const)("%s in %s agrees with the reference wherever there is one", async ([name, precision], context) => {
    context.skip(precision === "bf16" && bfloat16 !== undefined, bfloat16);
    const work = async (engine: Engine): Promise<void> => {
      for (const [layer, shape] of cases) {
        const x = normalTensor(1, ...shape);
        const { channels, height, width } = outputShape(layer, pictureShape(x));
        const weights = weightShape(layer, pictureShape(x)) ?? [];
        const dy = normalTensor(2, shape[0], channels, height, width);
        const inputs = { x, dy, w: normalTensor(3, ...weights), b: normalTensor(4, channels) };
        const [actual, expected] = [
          await engine.differentiate(layer, inputs),
          await reference.differentiate(layer, inputs),
        ];
        for (const key of ["y", "dx", "dw", "db"] as const) {
          const right = expected[key];
          if (right === undefined) throw new Error(`the reference has no ${key}`);
          expectTensorClose(actual[key], right, tolerances[precision].layer, `${layer.size}x${layer.size} ${key}`);
        }
      }
    };
    await preferring(name, work, precision);
  });

  const network = networkOf(
    35,
    { ...window, name: "conv1", size: 8, stride: 4, padding: 0 },
    { ...window, name: "conv2", groups: 2 },
    { kind: "fully-connected", name: "fc3", outputs: 5 },
  );
  const options = { batchSize: 2, mode: "train", preprocessing: centred } as const;

  it("what there is no implementation of is left out", async () => {
    await preferring("winograd", async (engine) => {
      const program = await engine.compile(network, options);
      // Two strides a window: folded into windows of 3 x 3 it would be mostly zeros.
      expect(program.algorithms).toMatchObject({ "conv1 backward-weights": "direct" });
      expect(Object.keys(program.algorithms ?? {})).not.toContain("conv1 forward");
      const result = await program.step(noiseBatch(2, 5), { learningRate: 0, momentum: 0, weightDecay: 0, seed: 1 });
      expect(result.loss).toBeCloseTo(Math.log(5), 5);
    });
  });

  const foldable = networkOf(
    67,
    { ...window, name: "conv1", size: 11, stride: 4, padding: 0 },
    { ...window, name: "conv2", size: 5, padding: 2, groups: 2, filters: 64 },
    { ...window, name: "conv3", groups: 2 },
    { ...window, name: "conv4" },
    { kind: "fully-connected", name: "fc5", outputs: 5 },
  );
  const convolutions = ["conv1", "conv2", "conv3", "conv4"];
  const directions = ["forward", "backward-weights", "backward-data"];
  const all = (algorithm: string, chosen: readonly string[] = directions) =>
    Object.fromEntries(
      convolutions.flatMap((layer) => chosen.map((direction) => [`${layer} ${direction}`, algorithm])),
    );

  it("Winograd's takes strides, larger windows and groups, where the library has it", async (context) => {
    await preferring("direct", async (engine) => {
      const { instructionSet, library } = engine.description;
      context.skip(
        !instructionSet.startsWith("AVX-512") || !library.startsWith("oneDNN 2."),
        `${library} has no Winograd's algorithm on ${instructionSet}`,
      );
      const program = await engine.compile(foldable, { ...options, algorithms: all("winograd") });
      const { "conv1 backward-data": _, ...expected } = all("winograd");
      expect(program.algorithms).toEqual(expected);
    });
  });

  it.each([
    ["forward alone", { ...all("direct"), ...all("winograd", ["forward"]) }],
    ["backward alone", { ...all("winograd"), ...all("direct", ["forward"]) }],
    ["everywhere", all("winograd")],
  ])("Winograd's %s gives the gradients that direct convolution gives", async (_, algorithms) => {
    await preferring("direct", async (engine) => {
      const gradients = async (chosen: Readonly<Record<string, string>>): Promise<Float32Array> => {
        const program = await engine.compile(foldable, { ...options, algorithms: chosen });
        await program.write("parameters", initialise(foldable, { deviation: "he", biases: {} }, 3));
        await program.step(noiseBatch(2, 5), { learningRate: 0, momentum: 0, weightDecay: 0, seed: 1 });
        await program.step(noiseBatch(2, 5, 9), { learningRate: 0, momentum: 0, weightDecay: 0, seed: 1 });
        return program.read("gradients");
      };
      const [actual, expected] = [await gradients(algorithms), await gradients(all("direct"))];
      for (const parameter of parameterTable(foldable))
        expectClose(
          parameterView(actual, parameter),
          parameterView(expected, parameter),
          tolerances.float32.network,
          parameter.name,
        );
    });
  });

  it("choices of another program are taken over", async () => {
    await preferring("default", async (engine) => {
      const own = await engine.compile(network, options);
      expect(own.algorithms).toMatchObject({ "conv2 backward-weights": "direct" });
      const algorithms = { "conv2 backward-weights": "product" };
      const next = await engine.compile(network, { ...options, algorithms });
      expect(next.algorithms).toMatchObject(algorithms);
    });
  });

  it("a preference that is none is an error", async () => {
    await preferring("fastest", async (engine) => {
      await expect(engine.compile(network, options)).rejects.toThrow("ALEXNET_ALGORITHMS=fastest: is none of measure,");
    });
  });
});
