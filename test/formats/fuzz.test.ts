import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { AlexnetError, type ErrorCode } from "#src/errors.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { readNpy } from "#src/formats/npy.js";
import { Placeholder, unpickle } from "#src/formats/pytorch/pickle.js";
import { parameterCount } from "#src/network/parameters.js";
import { parseNetwork } from "#src/network/parse.js";
import { below } from "#src/random.js";
import { encodeCaffemodel } from "../support/caffe-files.js";
import { tries } from "../support/effort.js";
import { temporaryFolder } from "../support/folders.js";
import { randomModel } from "../support/models.js";

const MUTATIONS = tries({ few: 200, many: 2000 });
const folder = temporaryFolder();
const fixture = (name: string): string => new URL(`fixtures/${name}`, import.meta.url).pathname;

const layers = [
  { kind: "convolution", name: "conv1", filters: 2, size: 5, stride: 4, padding: 0, groups: 1 },
  { kind: "local-response-norm", name: "norm1", k: 2, n: 5, alpha: 1e-4, beta: 0.75 },
  { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
  { kind: "fully-connected", name: "fc2", outputs: 3 },
];
const network = parseNetwork({ name: "tiny", input: { channels: 3, size: 31 }, layers }, "tiny");
const options = { mean: new Float32Array(256 * 256 * 3), scale: [1, 1, 1] } as const;

beforeAll(async () => {
  const model = { ...randomModel(network, 1), preprocessing: options };
  await exportModel(model, join(folder, "tiny.pth"), { format: "pytorch" });
  await exportModel(model, join(folder, "tiny.onnx"), { format: "onnx", withPreprocessing: true });
  await exportModel(model, join(folder, "tiny.safetensors"), { format: "safetensors" });
  const data = { name: "data", type: "Data", transform_param: { crop_size: 31 } };
  writeFileSync(join(folder, "tiny.caffemodel"), encodeCaffemodel(model, "layer", [data]));
  writeFileSync(join(folder, "old.caffemodel"), encodeCaffemodel(model, "layers of 2013"));
  for (const name of ["legacy.pth", "evil.pth"]) writeFileSync(join(folder, name), readFileSync(fixture(name)));
});

/** One of: bytes changed, a length made huge, a part cut out, doubled or filled with noise, the end cut off. */
function mutate(whole: Buffer, key: number): Buffer {
  const draw = (bound: number, purpose: number) => below(bound, 20120930, key, purpose);
  // Half of them near the ends, where structure is; the middle is mostly numbers.
  const near = Math.min(whole.length, 1500);
  const place =
    [draw(whole.length, 0), draw(near, 0), whole.length - 1 - draw(near, 0)][draw(4, 1)] ?? draw(whole.length, 0);
  const length = 1 + draw(40, 2);
  const [before, part, after] = [
    whole.subarray(0, place),
    whole.subarray(place, place + length),
    whole.subarray(place + length),
  ];
  const noise = Buffer.from(part).map((_, i) => draw(256, 100 + i));
  switch (draw(7, 3)) {
    case 0:
      return Buffer.concat([before, Buffer.of((whole[place] ?? 0) ^ (1 << draw(8, 4))), whole.subarray(place + 1)]);
    case 1:
      return Buffer.concat([before, noise, after]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, part, part, after]);
    case 4:
      return Buffer.concat([before, Buffer.alloc(1 + draw(8, 5), 0xff), whole.subarray(place + 1 + draw(8, 5))]);
    case 5:
      return Buffer.concat([before, Buffer.of(0xff, 0xff, 0xff, 0x7f), whole.subarray(place + 4)]);
    default:
      return Buffer.from(before);
  }
}

const refusals: readonly ErrorCode[] = ["damaged-file", "unsupported", "invalid-network", "incomplete-model"];

/** What an import of damaged bytes may end in: a clear refusal, or a whole model where the damage hit plain numbers. */
async function outcomeOf(path: string): Promise<string> {
  try {
    const { model } = await importModel(path, options);
    if (model.parameters.length !== parameterCount(model.network)) return "a model of the wrong size";
    return model.parameters.every(Number.isFinite) ? "read" : "a model with odd numbers";
  } catch (error) {
    if (!(error instanceof AlexnetError)) return `${error}`;
    return refusals.includes(error.code) && error.message.includes(path) ? "refused" : error.message;
  }
}

describe.each([
  "tiny.pth",
  "legacy.pth",
  "evil.pth",
  "tiny.safetensors",
  "tiny.onnx",
  "tiny.caffemodel",
  "old.caffemodel",
])("%s", (name) => {
  it(`is refused or read whole after each of ${MUTATIONS} mutations`, async () => {
    const whole = readFileSync(join(folder, name));
    const path = join(folder, `mutated${extname(name)}`);
    expect(await outcomeOf(join(folder, name))).toBe(name === "evil.pth" ? "refused" : "read");
    const outcomes = new Map<string, number>();
    for (let key = 0; key < MUTATIONS; key++) {
      writeFileSync(path, mutate(whole, key));
      const outcome = await outcomeOf(path);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual(name === "evil.pth" ? ["refused"] : ["read", "refused"]);
    expect(outcomes.get("refused")).toBeGreaterThan(MUTATIONS / 10);
    expect(existsSync("alexnet-was-here")).toBe(false);
  }, 180_000);
});

describe("lengths beyond the file", () => {
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const huge = Buffer.alloc(8, 0xff);
  const globals = new Map();
  const named = (module: string, member: string) => [0x63, ...Buffer.from(`${module}\n${member}\n`)];

  it.each([
    ["a string", [0x8d, ...huge]],
    ["bytes", [0x8e, ...huge]],
    ["an array of bytes", [0x96, ...huge]],
    ["an integer", [0x8b, 0xff, 0xff, 0xff, 0x7f]],
    ["a place in the memo", [0x4e, 0x72, 0xff, 0xff, 0xff, 0xff, 0x6a, 0xfe, 0xff, 0xff, 0xff]],
  ])("in a pickle: %s", (_, operations) => {
    expect(() => unpickle(Uint8Array.from([0x80, 4, ...operations]), { globals }, "x")).toThrow(AlexnetError);
  });

  it.each([
    [[0x30], "takes from an empty stack"],
    [[0x68, 1], "recalls value 1, which it never kept"],
    [[0x75], "has no mark"],
    [[0x4e, 0x4e, 0x73], "looks at an empty stack"],
    [[0x4e, 0x28, 0x75], "sets items of what is no dict"],
    [[0x28, 0x4e, 0x28, 0x65], "appends to what is no list"],
    [[0x4e, 0x29, 0x52], "calls what is no function"],
    [[0x4e, 0x4e, 0x62], "sets attributes of what is no dict"],
    [[0x82, 1], "operation 0x82 is not read"],
    [[0x4e, 0x51], "has a persistent id where there may be none"],
    [[0x58, 1, 0, 0, 0, 0xff], "a string is not UTF-8"],
    [[0x69, ...Buffer.from("os\nsystem\n")], "has no mark"],
    [[0x28, 0x6f], "calls what is no function"],
    [[0x4e, 0x4e, 0x93], "names a global by what is no string"],
    [[0x80, 6], "its protocol is newer than 5"],
  ])("in a pickle, operations out of order: %#", (operations, message) => {
    const run = () => unpickle(Uint8Array.from([...operations, 0x2e]), { globals }, "x");
    expect(run).toThrow(new RegExp(`^x: (${message})`));
  });

  it.each([
    ["a function that is called", [...named("os", "system"), 0x29, 0x52]],
    ["a class that is made", [...named("argparse", "Namespace"), 0x29, 0x81, 0x7d, 0x62]],
    ["a class with keyword arguments", [...named("a", "B"), 0x29, 0x7d, 0x92]],
    ["a class of Python 2", [0x28, 0x69, ...Buffer.from("os\nsystem\n")]],
    ["a class behind a mark", [0x28, ...named("os", "system"), 0x4e, 0x6f]],
    ["a dict of its own class", [...named("my", "Dict"), 0x29, 0x52, 0x28, 0x4e, 0x4e, 0x75, 0x28, 0x4e, 0x65]],
  ])("in a pickle, %s becomes a placeholder with its name, and nothing is called", (_, operations) => {
    const { value } = unpickle(Uint8Array.from([...operations, 0x2e]), { globals }, "x");
    expect(value).toBeInstanceOf(Placeholder);
    expect((value as Placeholder).name).toMatch(/^(os\.system|argparse\.Namespace|a\.B|my\.Dict)$/);
  });

  it("in a pickle of Python 2, strings that are no UTF-8 are Latin-1", () => {
    expect(unpickle(Uint8Array.of(0x55, 3, 0xe4, 0x2d, 0xfc, 0x2e), { globals }, "x").value).toBe("ä-ü");
  });

  it("deep nesting and sharing cost nothing", () => {
    const deep = Uint8Array.from([...Array(200_000).fill(0x5d), ...Array(199_999).fill(0x61), 0x2e]);
    expect(unpickle(deep, { globals }, "x").value).toHaveLength(1);
    // Each level holds the one before twice: 2^60 leaves in 60 lists.
    const doubling = [0x5d, ...Array(60).fill([0x32, 0x86]).flat(), 0x2e];
    expect(unpickle(Uint8Array.from(doubling), { globals }, "x").value).toHaveLength(2);
  });

  it("in a .npy", () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999), }\n";
    const npy = Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00", "latin1"),
      Buffer.of(header.length, 0),
      Buffer.from(header),
    ]);
    expect(() => readNpy(write("huge.npy", npy))).toThrow(/99999999x99999999 values take not 0 bytes/);
    expect(() => readNpy(write("cut.npy", npy.subarray(0, 40)))).toThrow(/its header is cut off/);
    expect(() => readNpy(write("none.npy", Buffer.alloc(20)))).toThrow(/does not begin as one/);
  });
});
