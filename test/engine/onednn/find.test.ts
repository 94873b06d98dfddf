import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { installation, libraryFiles } from "#src/engine/onednn/native/find.js";
import { temporaryFolder } from "../../support/folders.js";

/** A folder with library files, and links to them: "name -> target". */
function folderOf(...entries: readonly string[]): string {
  const folder = temporaryFolder();
  for (const entry of entries) {
    const [name = "", target] = entry.split(" -> ");
    if (target === undefined) writeFileSync(join(folder, name), "a library");
    else symlinkSync(target, join(folder, name));
  }
  return folder;
}

const found = (platform: NodeJS.Platform, ...folders: readonly string[]) =>
  libraryFiles({ platform, folders }).map(
    ({ path, version }) => `${path.slice(path.lastIndexOf("/") + 1)} ${version.join(".")}`,
  );

describe("the files of oneDNN in some folders", () => {
  it.each([
    ["Debian 12", ["libdnnl.so.2 -> libdnnl.so.2.6", "libdnnl.so.2.6"], ["libdnnl.so.2 2.6"]],
    ["Debian 13", ["libdnnl.so.3.6 -> libdnnl.so.3.7", "libdnnl.so.3.7"], ["libdnnl.so.3.6 3.7"]],
    ["Ubuntu 24.04", ["libdnnl.so.3 -> libdnnl.so.3.1", "libdnnl.so.3.1"], ["libdnnl.so.3 3.1"]],
    ["a release to come", ["libdnnl.so.3.12.1"], ["libdnnl.so.3.12.1 3.12.1"]],
    ["a build of one's own", ["libdnnl.so"], ["libdnnl.so "]],
  ])("on %s are found by looking, each once", (_system, entries, expected) => {
    expect(found("linux", folderOf(...entries, "libdnnl.a", "libdnnl_graph.so.1", "libonednn.so"))).toEqual(expected);
  });

  it("are called otherwise on macOS and Windows", () => {
    const folder = folderOf("libdnnl.3.11.dylib", "dnnl.dll", "libdnnl.so.3", "libdnnl.dylib -> libdnnl.3.11.dylib");
    expect(found("darwin", folder)).toEqual(["libdnnl.3.11.dylib 3.11"]);
    expect(found("win32", folder)).toEqual(["dnnl.dll "]);
  });

  it.skipIf(process.arch !== "x64")("come with version 2 first on x64, then the newest, wherever they lie", () => {
    const [older, newer] = [
      folderOf("libdnnl.so.3.2", "libdnnl.so.2.6"),
      folderOf("libdnnl.so.3.10", "libdnnl.so.2.7.1"),
    ];
    expect(found("linux", older, newer)).toEqual([
      "libdnnl.so.2.7.1 2.7.1",
      "libdnnl.so.2.6 2.6",
      "libdnnl.so.3.10 3.10",
      "libdnnl.so.3.2 3.2",
    ]);
  });

  it("are none where the file is empty, a link leads nowhere, or there is no folder", () => {
    const folder = folderOf("libdnnl.so.3 -> libdnnl.so.3.7");
    writeFileSync(join(folder, "libdnnl.so.2"), "");
    mkdirSync(join(folder, "empty"));
    expect(found("linux", folder, join(folder, "empty"), join(folder, "nowhere"))).toEqual([]);
  });
});

describe("where oneDNN is missing, its installation", () => {
  it.each([
    ["debian", "12", "`sudo apt install libdnnl2`"],
    ["debian", "13", "`sudo apt install libdnnl3.6`"],
    ["ubuntu", "22.04", "`sudo apt install libdnnl2`"],
    ["ubuntu", "24.04", "`sudo apt install libdnnl3`"],
    ["debian", "", "`apt-cache search libdnnl`"],
    ["debian", "14", "`apt-cache search libdnnl`"],
    ["ubuntu", "26.04", "`apt-cache search libdnnl`"],
    ["fedora", "44", "`sudo dnf install onednn`"],
    ["arch", "", "`sudo pacman -S onednn`"],
    ["alpine", "3.24", "`apk add onednn`"],
    ["slackware", "15", "your system's package of oneDNN"],
  ])("on %s %s is told as the release has it", (ID, VERSION_ID, expected) => {
    expect(installation("linux", { ID, VERSION_ID }, [])).toContain(expected);
  });

  it("names what the package lists have, also on descendants of Debian", () => {
    expect(installation("linux", { ID: "debian", VERSION_ID: "14" }, ["libdnnl3.9", "libdnnl3.6"])).toBe(
      "install it with `sudo apt install libdnnl3.9`",
    );
    const mint = { ID: "linuxmint", ID_LIKE: "ubuntu debian", VERSION_ID: "22" };
    expect(installation("linux", mint, ["libdnnl3"])).toContain("sudo apt install libdnnl3`");
    expect(installation("linux", mint, [])).toContain("apt-cache search libdnnl");
  });

  it("is Homebrew's on macOS, and by hand on Windows", () => {
    expect(installation("darwin", {}, [])).toContain("brew install onednn");
    expect(installation("win32", {}, [])).toContain("dnnl.dll");
  });
});
