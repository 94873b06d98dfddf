// Run after `npm install` when test/setup says that package-lock.json is incomplete: a registry mirror may lack the
// optional packages that are other platforms' binaries, npm then leaves them out, and `npm ci` refuses such a file.
// Puts them back by name and version, with the platform that their names state.
import { readFileSync, writeFileSync } from "node:fs";

const [folder = ""] = process.argv.slice(2); // "site/" for the site's own
const path = new URL(`../${folder}package-lock.json`, import.meta.url);
const text = readFileSync(path, "utf8");
const lock = JSON.parse(text);

/** Where node finds `name` from the package at `from`: the nearest node_modules upwards. */
function resolve(name, from) {
  const place = `${from && `${from}/`}node_modules/${name}`;
  if (lock.packages[place] !== undefined || from === "") return place;
  return resolve(name, from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/"))));
}

const systems = "aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32";
const processors = "arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64";

function platform(name) {
  const match = new RegExp(`(?<os>${systems})-(?<cpu>${processors})`).exec(name);
  if (match === null) throw new Error(`${name}: its name states no platform; add it to package-lock.json by hand`);
  const { os, cpu } = match.groups;
  const libc = name.includes("musl") ? ["musl"] : name.includes("gnu") ? ["glibc"] : undefined;
  return { os: [os], cpu: [cpu], libc: os === "linux" ? libc : undefined };
}

/** In npm's own order of keys. */
function entry(name, version, dev) {
  const { os, cpu, libc } = platform(name);
  return { version, cpu, dev, libc, optional: true, os };
}

for (const [place, { optionalDependencies, dev }] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(optionalDependencies ?? {}))
    lock.packages[resolve(name, place)] ??= entry(name, version, dev);

const [root, ...rest] = Object.entries(lock.packages);
const byPlace = rest.sort(([a], [b]) => a.localeCompare(b, "en"));
const completed = `${JSON.stringify({ ...lock, packages: Object.fromEntries([root, ...byPlace]) }, null, 2)}\n`;
if (completed !== text) writeFileSync(path, completed); // else it would look newer than what is installed
