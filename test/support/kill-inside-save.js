// Loaded into a trainer by `node --import`: a plug pulled while a checkpoint is being written. From ALEXNET_KILL_FROM
// (milliseconds since 1970) on, the process kills itself at the ALEXNET_KILL_AT-th operation on files of the next
// "save" (a checkpoint's file, on the thread that writes it) or "settle" (the links and the clearing that follow).

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const { ALEXNET_KILL_IN, ALEXNET_KILL_FROM, ALEXNET_KILL_AT } = process.env;
const operations = ["openSync", "writeSync", "fsyncSync", "closeSync", "symlinkSync", "renameSync", "rmSync"];
let counted; // operations since the first of them; undefined before

if (ALEXNET_KILL_IN === (isMainThread ? "settle" : "save")) {
  for (const name of operations) fs[name] = killing(name, fs[name]);
  syncBuiltinESMExports();
}

function killing(name, operation) {
  return (...args) => {
    if (counted === undefined && begins(name, args) && Date.now() >= Number(ALEXNET_KILL_FROM)) counted = 0;
    if (counted !== undefined && counted++ === Number(ALEXNET_KILL_AT)) {
      if (name === "writeSync") tearWrite(operation, args);
      process.kill(process.pid, "SIGKILL");
    }
    return operation(...args);
  };
}

function begins(name, [first, second]) {
  const unfinished = (path) => /\.safetensors\.[^.]+\.part$/.test(String(path));
  return isMainThread ? name === "symlinkSync" && unfinished(second) : name === "openSync" && unfinished(first);
}

function tearWrite(write, [file, bytes, start, length, position]) {
  write(file, bytes, start, Math.ceil(length / 2), position);
}
