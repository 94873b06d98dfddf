import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Layer } from "#src/network/network.js";
import { parameterTable } from "#src/network/parameters.js";
import { alexnet } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";
import { networkOf, smallNetwork } from "../support/networks.js";

const folder = temporaryFolder();

function check(layers: readonly Layer[]) {
  const path = join(folder, "network.json");
  writeFileSync(path, JSON.stringify(networkOf(15, ...layers)));
  return alexnet("check-gradients", "--network", path, "--width", "1", "--seed", "3", "--samples", "2");
}

describe("alexnet check-gradients", () => {
  it("shows every tensor's error and succeeds where all agree", () => {
    const { status, stdout, stderr } = check(smallNetwork.layers);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const rows = stdout.split("\n").map((line) => line.split(/\s+/)[0]);
    expect(rows).toEqual(expect.arrayContaining(parameterTable(smallNetwork).map(({ name }) => name)));
    expect(stdout).toContain("every gradient agrees");
  });

  it("fails, naming the tensors, where there is nothing to agree", () => {
    const dropsAll: Layer = { kind: "dropout", name: "drop", rate: 0.999999 };
    const { status, stdout, stderr } = check(smallNetwork.layers.toSpliced(-1, 0, dropsAll));
    expect(status).toBe(1);
    expect(stdout).toMatch(/conv1\.weight .*failed/);
    expect(stdout).not.toContain("every gradient agrees");
    expect(stderr).toMatch(/^alexnet: conv1\.weight, conv1\.bias, .*fc4\.weight: /);
  });

  it("takes whole numbers of samples alone", () => {
    expect(alexnet("check-gradients", "--samples", "0").status).toBe(2);
  });
});
