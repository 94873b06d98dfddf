import { existsSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Checkout } from "../support/checkout.js";

const packages = "npm ci --include=dev --no-audit --no-fund";
const build = ["node node_modules/typescript/lib/tsc.js -b src src/web --force", "node src/web/build.js"];

/** A checkout where all is in place. */
async function complete(): Promise<Checkout> {
  const checkout = new Checkout();
  checkout.installOneDnn();
  expect((await checkout.setup()).status).toBe(0);
  expect(checkout.takeCalls()).toEqual([packages, ...build]);
  return checkout;
}

/** Makes a file newer than everything else. */
function renew(path: string): void {
  const later = new Date(Date.now() + 5000);
  utimesSync(path, later, later);
}

describe("set-up", () => {
  it("does and says nothing when nothing is missing", async () => {
    const checkout = await complete();
    expect(await checkout.setup()).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(checkout.takeCalls()).toEqual([]);
  });

  it("says on stderr alone what it does", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    const { stdout, stderr } = await checkout.setup();
    expect(stdout).toBe("");
    expect(stderr).toBe("alexnet: installing the npm packages\nalexnet: building\n");
  });

  it("installs packages when the lock file is newer than what is installed, and builds with them", async () => {
    const checkout = await complete();
    renew(join(checkout.folder, "package-lock.json"));
    await checkout.setup();
    expect(checkout.takeCalls()).toEqual([packages, ...build]);
  });

  it("installs packages again when an installation was cut off", async () => {
    const checkout = await complete();
    rmSync(join(checkout.folder, "node_modules", ".package-lock.json"));
    await checkout.setup();
    expect(checkout.takeCalls()[0]).toBe(packages);
  });

  it("builds when a source is newer than the build", async () => {
    const checkout = await complete();
    renew(join(checkout.folder, "src", "main.ts"));
    await checkout.setup();
    expect(checkout.takeCalls()).toEqual(build);
  });

  it("builds when a source is gone", async () => {
    const checkout = await complete();
    rmSync(join(checkout.folder, "src", "main.ts"));
    renew(join(checkout.folder, "src")); // file systems with coarse times would need a pause here
    await checkout.setup();
    expect(checkout.takeCalls()).toEqual(build);
  });

  it("builds again after a build that failed, and shows why it did", async () => {
    const checkout = await complete();
    const compiler = join(checkout.folder, "node_modules", "typescript", "lib", "tsc.js");
    writeFileSync(compiler, "echo 'main.ts(1,1): error TS1: wrong'; exit 2\n");
    renew(join(checkout.folder, "src", "main.ts"));
    for (let attempt = 0; attempt < 2; attempt++) {
      const { status, stderr } = await checkout.setup();
      expect(status).toBe(1);
      expect(stderr).toContain("main.ts(1,1): error TS1: wrong\nalexnet: the build failed");
    }
  });

  it("does every step once when several run at once", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    const outcomes = await Promise.all([checkout.setup(), checkout.setup(), checkout.setup()]);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(outcomes.filter(({ stderr }) => /^alexnet: waiting for another set-up here/.test(stderr)).length).toBe(2);
    expect(checkout.takeCalls()).toEqual([packages, ...build]);
  });

  it("takes over from one that was killed", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    const gone = await checkout.run("/bin/sh", ["-c", "echo $$"]);
    symlinkSync(gone.stdout.trim(), join(checkout.folder, ".setup-lock"));
    expect((await checkout.setup()).status).toBe(0);
    expect(existsSync(join(checkout.folder, ".setup-lock"))).toBe(false);
  });

  it("shows what npm said when it fails, and how to go on", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    checkout.tool("npm", "echo 'npm error network ENOTFOUND' >&2; exit 1");
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toContain("npm error network ENOTFOUND\nalexnet: npm ci failed, see above");
    expect(stderr).toContain("run ./scripts/setup again");
  });
});

describe("what must be there", () => {
  it.each(["v18.20.4", "v20.8.1", "v8.0.0"])("refuses Node.js %s", async (version) => {
    const checkout = new Checkout();
    checkout.tool("node", `echo ${version}`);
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toBe(
      `alexnet: Node.js ${version} (${checkout.tools}/node) is too old: install 20.9 or newer (https://nodejs.org/en/download)\n`,
    );
    expect(checkout.takeCalls()).not.toContain(packages);
  });

  it.each(["v20.9.0", "v22.0.0", "v26.10.0"])("takes Node.js %s", async (version) => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    checkout.tool("node", `echo ${version}`);
    expect((await checkout.setup()).status).toBe(0);
  });

  it("says that Node.js is missing", async () => {
    const checkout = new Checkout();
    checkout.remove("node");
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^alexnet: Node.js is missing: install 20.9 or newer .*\n$/);
  });

  it("says that npm is missing", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    checkout.remove("npm");
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^alexnet: npm is missing; .*\n$/m);
  });
});

describe("oneDNN", () => {
  /** apt with three releases of oneDNN in its lists; installing puts a library into the system's folder. */
  function addApt(checkout: Checkout, lists = "echo 'libdnnl2 - a'; echo 'libdnnl3 - b'; echo 'libdnnl3.6 - c'"): void {
    checkout.tool("apt-cache", lists);
    checkout.tool(
      "apt-get",
      `case "$*" in
        *'install -y'*) echo noise; echo library >"${checkout.libraries}/libdnnl.so.3" ;;
        *update*) : >"${checkout.folder}/lists" ;;
        *'install -s'*) echo "Inst libdnnl3.6 (3.7 Debian)"; echo "Inst libgomp1 (12.2 Debian)"; echo "Inst libc6 [2.36] (2.41 Debian)" ;;
        *download*) shift $(($# - 2)); for name; do : >"$name.deb"; done ;;
      esac`,
    );
  }

  const installed = "env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libdnnl3.6";

  it.each([
    "libdnnl.so.2",
    "libdnnl.so.3",
    "libdnnl.so.3.6",
    "libdnnl.so.2.6.3",
    "libdnnl.3.dylib",
    "libdnnl.3.11.dylib",
  ])("is there as %s", async (name) => {
    const checkout = new Checkout();
    checkout.installOneDnn(name);
    expect((await checkout.setup()).status).toBe(0);
    expect(checkout.takeCalls()).toEqual([packages, ...build]);
  });

  it("is not there as an empty file, or as a version that is not spoken", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn("libdnnl.so.1");
    writeFileSync(join(checkout.libraries, "libdnnl.so.2"), "");
    expect((await checkout.setup()).status).toBe(1);
  });

  it("is where ALEXNET_ONEDNN_PATH says, or else that is an error", async () => {
    const checkout = new Checkout();
    const elsewhere = join(checkout.folder, "package-lock.json");
    expect((await checkout.setup({ ALEXNET_ONEDNN_PATH: elsewhere })).status).toBe(0);
    const { status, stderr } = await checkout.setup({ ALEXNET_ONEDNN_PATH: "/nowhere/libdnnl.so" });
    expect(status).toBe(1);
    expect(stderr).toBe("alexnet: ALEXNET_ONEDNN_PATH=/nowhere/libdnnl.so: no such file; correct or unset it\n");
  });

  it("is installed alone where only it is asked for, as the packed package does", async () => {
    const checkout = new Checkout();
    checkout.tool("id", "echo 0");
    addApt(checkout);
    const ask = () => checkout.run("/bin/sh", [join(checkout.folder, "scripts", "setup"), "onednn"]);
    expect((await ask()).status).toBe(0);
    const calls = checkout.takeCalls();
    expect(calls).toContain("apt-get install -y -q --no-install-recommends libdnnl3.6");
    expect(calls.filter((call) => /^(npm|node) /.test(call))).toEqual([]);
    expect(await ask()).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(checkout.takeCalls()).toEqual([]);
  });

  it("is installed with apt by root: the newest that the release has", async () => {
    const checkout = new Checkout();
    checkout.tool("id", "echo 0");
    addApt(checkout);
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(0);
    expect(stderr).not.toContain("noise");
    expect(checkout.takeCalls()).toContain(installed.replace(/^env \S+ /, ""));
  });

  it("is found after updating apt's lists where there are none", async () => {
    const checkout = new Checkout();
    checkout.tool("id", "echo 0");
    addApt(checkout, `[ -e "${checkout.folder}/lists" ] && echo 'libdnnl2 - a'`);
    expect((await checkout.setup()).status).toBe(0);
    expect(checkout.takeCalls().filter((call) => call.startsWith("apt-get"))).toEqual([
      "apt-get update -q",
      "apt-get install -y -q --no-install-recommends libdnnl2",
    ]);
  });

  it("is installed with sudo by others", async () => {
    const checkout = new Checkout();
    checkout.tool("sudo", `[ "$1" = -n ] && shift; "$@"`);
    addApt(checkout);
    expect((await checkout.setup()).status).toBe(0);
    expect(checkout.takeCalls()).toContain(`sudo ${installed}`);
  });

  it.each(["no sudo", "sudo that wants a password nobody can give"])(
    "is unpacked below the project with %s",
    async (which) => {
      const checkout = new Checkout();
      if (which !== "no sudo") checkout.tool("sudo", "exit 1");
      addApt(checkout);
      checkout.tool(
        "dpkg",
        `name=\${2##*/}; mkdir -p "$3/usr/lib/x"; echo library >"$3/usr/lib/x/\${name%.deb}"
      case $name in libdnnl*) echo library >"$3/usr/lib/x/libdnnl.so.3" ;; esac`,
      );
      const { status, stderr } = await checkout.setup();
      expect(stderr).toContain("unpacking oneDNN's package below this project, into .native/");
      expect(status).toBe(0);
      const library = (name: string): string => join(checkout.folder, ".native", "usr", "lib", "x", name);
      expect(readFileSync(library("libdnnl.so.3"), "utf8")).toBe("library\n");
      expect(existsSync(library("libgomp1"))).toBe(true); // needed and not there
      expect(existsSync(library("libc6"))).toBe(false); // there, only older
      expect(existsSync(join(checkout.folder, ".native-new"))).toBe(false);
      expect((await checkout.setup()).stderr).toBe("");
    },
  );

  it("leaves nothing half unpacked behind when a download fails", async () => {
    const checkout = new Checkout();
    addApt(checkout);
    checkout.tool("apt-get", "echo 'E: Failed to fetch' >&2; exit 100");
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toContain("E: Failed to fetch");
    expect(stderr).toContain(
      "alexnet: oneDNN is missing, which does the computing; install it: sudo apt-get install libdnnl3.6\n",
    );
    expect(existsSync(join(checkout.folder, ".native"))).toBe(false);
    expect(existsSync(join(checkout.folder, ".native-new"))).toBe(false);
  });

  it.each([
    ['ID=debian\nVERSION_ID="12"', "sudo apt-get install libdnnl2\n"],
    ['ID=debian\nVERSION_ID="13"', "sudo apt-get install libdnnl3.6\n"],
    ['ID=ubuntu\nVERSION_ID="22.04"', "sudo apt-get install libdnnl2\n"],
    ['ID=ubuntu\nVERSION_ID="24.04"', "sudo apt-get install libdnnl3\n"],
    ["ID=debian", "the package that apt-cache search libdnnl names\n"],
  ])("is asked for by the name that the release has, also where apt has no lists: %j", async (release, advice) => {
    const checkout = new Checkout();
    addApt(checkout, "exit 0");
    const file = join(checkout.folder, "os-release");
    writeFileSync(file, `${release}\n`);
    const { status, stderr } = await checkout.setup({ ALEXNET_OS_RELEASE: file });
    expect(status).toBe(1);
    expect(stderr).toContain(advice);
  });

  it.each([
    ["dnf", "sudo dnf install onednn"],
    ["pacman", "sudo pacman -S onednn"],
    ["zypper", "sudo zypper install libdnnl3"],
    ["apk", "apk add onednn"],
    [undefined, "set ALEXNET_ONEDNN_PATH to its file"],
  ])("is asked for by name where %s is the package manager", async (manager, advice) => {
    const checkout = new Checkout();
    if (manager !== undefined) checkout.tool(manager, "exit 1");
    const { status, stderr } = await checkout.setup();
    expect(status).toBe(1);
    expect(stderr).toContain(advice);
    expect(checkout.takeCalls()).toEqual([]);
  });
});

describe("./alexnet", () => {
  it("sets up, then runs the command line where the user is, with its arguments and exit status", async () => {
    const checkout = new Checkout();
    checkout.installOneDnn();
    const { status, stdout } = await checkout.run(join(checkout.folder, "alexnet"), ["train", "my photos"]);
    expect(status).toBe(7);
    expect(stdout).toBe(
      `ran from ${tmpdir()}: --max-semi-space-size=4 ${checkout.folder}/dist/cli/main.js train my photos\n`,
    );
  });

  it("works through a symbolic link", async () => {
    const checkout = await complete();
    const link = join(checkout.folder, "link");
    symlinkSync(join(checkout.folder, "alexnet"), link);
    expect((await checkout.run(link, ["--help"])).stdout).toContain(`${checkout.folder}/dist/cli/main.js --help`);
  });

  it("does not run when set-up fails", async () => {
    const checkout = new Checkout();
    const { status, stdout } = await checkout.run(join(checkout.folder, "alexnet"), ["--help"]);
    expect(status).toBe(1);
    expect(stdout).toBe("");
  });
});
