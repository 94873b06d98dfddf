import { expect, test } from "vitest";
import { CannotCompare, contradicted, type Installed, libraries } from "../../bench/bindings/headers.js";

/** What the engines bind, beside the headers on this machine: Debian's libdnnl-dev, ALEXNET_ONEDNN_HEADERS, CUDA's. */

function orReason(find: () => readonly Installed[]): readonly Installed[] | string {
  try {
    const found = find();
    for (const installed of found.slice(0, 1)) contradicted({ ...installed, assertions: [] }); // is there a compiler?
    return found;
  } catch (error) {
    if (!(error instanceof CannotCompare)) throw error;
    return error.message;
  }
}

for (const name of ["cuda", "onednn"] as const) {
  const found = orReason(() => libraries[name]([]));
  const installed = typeof found === "string" ? [] : found;
  if (typeof found === "string") {
    console.warn(`comparing with ${name}'s headers is skipped: ${found}`);
    test.skip(`functions, constants and structures of ${name} are bound as its headers declare them: ${found}`, () => {});
  }
  for (const version of installed) {
    test(`functions, constants and structures are bound as ${version.title} declares them`, () => {
      expect(contradicted(version)).toEqual([]);
    });

    test(`a constant that ${version.title} contradicts is found`, () => {
      const [header = ""] = version.headers;
      const wrong = { ...version, assertions: ['static_assert(sizeof(int) == 5, "an int has not 5 bytes");'] };
      expect(header).not.toBe("");
      expect(contradicted(wrong).join()).toContain("an int has not 5 bytes");
    });
  }
}
