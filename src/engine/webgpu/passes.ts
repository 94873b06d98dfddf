import type { Prepared } from "./build.js";
import type { Gpu } from "./gpu.js";

/** Puts dispatches on a pass, in order: what one wrote, the next reads. */
export function putOnPass(pass: GPUComputePassEncoder, dispatches: readonly Prepared[]): void {
  for (const { pipeline, group, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...(workgroups as [number, number, number]));
  }
}

/** Milliseconds of dispatches on one pass, with the way there and back. */
export async function millisecondsOf(gpu: Gpu, dispatches: readonly Prepared[]): Promise<number> {
  const { device } = gpu;
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  putOnPass(pass, dispatches);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await gpu.wait();
  return performance.now() - start;
}
