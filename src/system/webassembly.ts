/** @param assembled base64 of one of this project's own kernels, which exports what `Exports` says. */
export function instantiateKernel<Exports>(assembled: string): Exports {
  const module = new WebAssembly.Module(Buffer.from(assembled, "base64"));
  return new WebAssembly.Instance(module).exports as Exports;
}
