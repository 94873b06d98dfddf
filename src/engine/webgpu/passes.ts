import type { Prepared } from "./dispatch.js";

/** What works through passes. */
export interface Worker {
  readonly device: GPUDevice;
  /** Until all that was asked for is done. */
  wait(): Promise<void>;
}

/** Puts dispatches on a pass, in order: what one wrote, the next reads. */
export function putOnPass(pass: GPUComputePassEncoder, dispatches: readonly Prepared[]): void {
  for (const { pipeline, group, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...(workgroups as [number, number, number]));
  }
}

/** Milliseconds of dispatches on one pass, with the way there and back. */
export async function millisecondsOf(gpu: Worker, dispatches: readonly Prepared[]): Promise<number> {
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
