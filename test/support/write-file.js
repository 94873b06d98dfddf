// Writes a file whole again and again, as a process beside others that write the same: write-file.js <file> <letter> <times>
import { writeWhole } from "#src/system/files.js";

const [, , path, letter, times] = process.argv;
for (let i = 0; i < Number(times); i++) writeWhole(path, letter.repeat(100_000));
