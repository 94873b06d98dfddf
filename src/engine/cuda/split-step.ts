import { addressOf, type Pointer } from "../../system/native/memory.js";
import type { GradientBucket } from "../engine.js";
import type { Build, Tensor } from "./build.js";
import type { Graph } from "./native/driver.js";
import type { Plan } from "./plan.js";
import { Work } from "./slot.js";

/** A bucket's gradients on the device and in memory that other threads can see. */
interface BucketMemory extends GradientBucket {
  readonly values: Float32Array<SharedArrayBuffer>;
  readonly device: Pointer;
  /** Brings them from the device. */
  readonly work: Work;
}

/** The parts of a step that is split between gradients and update: a graph for each bucket, and one for the update. */
export class SplitStep {
  readonly buckets: readonly GradientBucket[];
  readonly #build: Build;
  readonly #memory: readonly BucketMemory[];
  readonly #backward: readonly Graph[];

  /** @param capture makes a graph of a bucket's backward operations */
  constructor({ build, parameters, walk }: Plan, capture: (bucket: number) => Graph) {
    const { gradients } = parameters.flat;
    if (gradients === undefined) throw new Error("a split step has gradients");
    this.#build = build;
    this.#memory = walk.buckets.map((layers) =>
      bucketMemory(build, layers, gradients, parameters.gradientRange(layers)),
    );
    this.buckets = this.#memory.map(({ layers, values }) => ({ layers, values }));
    this.#backward = walk.buckets.map((_, bucket) => capture(bucket));
    build.own(() => {
      for (const graph of this.#backward) graph.close();
    });
  }

  /** Has the device go on until a bucket's gradients are there, and brings them. */
  backward(bucket: number): Promise<void> {
    const { work, values, device } = this.#memory[bucket];
    const put = (): void => {
      this.#backward[bucket].launch();
      this.#build.gpu.device.copyOut(values, device, values.byteLength);
    };
    return work.launch(`backward of ${this.buckets[bucket].layers.join(", ")}`, put, () => {});
  }

  /** Puts copies of all gradients on the stream, to the device. */
  bringGradients(): void {
    for (const { work, values, device } of this.#memory) {
      work.settle();
      this.#build.gpu.device.copyIn(device, values, values.byteLength);
    }
  }

  settle(): void {
    for (const { work } of this.#memory) work.settle();
  }
}

function bucketMemory(
  build: Build,
  layers: readonly string[],
  gradients: Tensor,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
): BucketMemory {
  const { device } = build.gpu;
  const values = new Float32Array(new SharedArrayBuffer(bytes));
  const address = addressOf(values);
  try {
    const pin = device.pin(address, bytes);
    build.own(() => pin.close());
  } catch {
    // Not allowed here: the driver copies it through memory of its own.
  }
  return { layers, values, device: build.address(gradients) + BigInt(offset), work: new Work(build) };
}
