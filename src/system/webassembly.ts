/** @param assembled base64 of one of this project's own kernels, which exports what `Exports` says. */
export function instantiateKernel<Exports>(assembled: string): Exports {
  const bytes = Uint8Array.from(atob(assembled), (character) => character.charCodeAt(0)); // browsers have no Buffer
  const module = new WebAssembly.Module(bytes);
  return new WebAssembly.Instance(module).exports as Exports;
}
