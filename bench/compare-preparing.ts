import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeDecoder, preferredJpegDecoder } from "#src/images/decode/decode.js";
import { listPictures } from "#src/images/list.js";
import { OtherFiles } from "#src/images/other-files.js";
import { median } from "#src/scoring/quantiles.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { taskOf } from "#src/task.js";
import { project } from "./project.js";
import { type Side, startProcess } from "./side.js";

const help = `bench/run compare-preparing PHOTOS… [--pictures 2000] [--rounds 5] [--workers n] [--processes n] [--python python3] [--json]

Makes 256x256 JPEGs (quality 95, 4:4:4) of photos, again and again of the same until there are enough pictures: here,
into a store, by so many workers (default: prepare's own); and by torchvision on Pillow, into files, in so many processes
(default: as many as cores). One pass each in turn; prints pictures per second and the ratio.`;

const { values: options, positionals: photos } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: "string", default: "2000" },
    rounds: { type: "string", default: "5" },
    workers: { type: "string" },
    processes: { type: "string", default: String(availableParallelism()) },
    python: { type: "string", default: process.env.ALEXNET_PYTHON ?? "python3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help || photos.length === 0) {
  console.log(help);
  process.exit(options.help ? 0 : 2);
}
const pictures = Number(options.pictures);
const workers = options.workers === undefined ? undefined : Number(options.workers);
const processes = Number(options.processes);
const folder = mkdtempSync(join(tmpdir(), "alexnet-preparing-"));
try {
  const source = join(folder, "pictures");
  await replicate(photos, source);
  const ours = alexnet(source, join(folder, "store"));
  const peer = join(project, "bench/peers/prepare-torchvision.py");
  const theirs = await startProcess("torchvision", options.python, [peer, source, "--processes", String(processes)]);
  report(ours, theirs, await measureInTurn(ours, theirs));
  await theirs.stop();
} finally {
  rmSync(folder, { recursive: true });
}

/** Links to the photos, over and over. */
async function replicate(paths: readonly string[], into: string): Promise<void> {
  const files = await listPictures(
    paths.map((path) => resolve(path)),
    new OtherFiles(),
    taskOf({}),
  );
  mkdirSync(join(into, "photos"), { recursive: true });
  for (let i = 0; i < pictures; i++) {
    const file = files[i % files.length];
    if (file === undefined) throw new Error(`${paths.join(", ")}: no pictures`);
    symlinkSync(file, join(into, "photos", `${i}${extname(file)}`));
  }
}

function alexnet(source: string, out: string): Side {
  return {
    name: "alexnet",
    version: describeDecoder(preferredJpegDecoder()),
    async measure() {
      rmSync(out, { recursive: true, force: true });
      const start = performance.now();
      await prepare({ source, out, encoding: "jpeg", workers });
      return performance.now() - start;
    },
    stop: async () => {},
  };
}

type Round = Readonly<Record<"ours" | "theirs", number>>;

/** Milliseconds. Whatever else the machine does falls on both sides. */
async function measureInTurn(ours: Side, theirs: Side): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let i = 0; i < Number(options.rounds); i++)
    rounds.push({ ours: await ours.measure(), theirs: await theirs.measure() });
  return rounds;
}

function report(ours: Side, theirs: Side, rounds: readonly Round[]): void {
  const rate = (side: keyof Round): number => (1000 * pictures) / median(rounds.map((round) => round[side]));
  const ratio = median(rounds.map((round) => round.theirs / round.ours));
  if (options.json) {
    const measured = {
      pictures,
      workers: workers ?? null,
      processes,
      ours: rate("ours"),
      theirs: rate("theirs"),
      ratio,
    };
    console.log(JSON.stringify({ ...measured, version: ours.version, peer: theirs.version }, undefined, 2));
    return;
  }
  console.log(`${pictures} pictures a round, ${rounds.length} rounds; pictures/s`);
  console.log(`alexnet      ${rate("ours").toFixed(0)}  (${ours.version})`);
  console.log(`torchvision  ${rate("theirs").toFixed(0)}  (${theirs.version}, ${processes} processes)`);
  console.log(`alexnet is ${ratio.toFixed(2)}x as fast`);
}
