// Keeps `count` choices in a file, as a process beside others that do the same: keep-choices.js <file> <name> <count>
import { SavedChoices } from "#src/engine/program/choices.js";

const [, , path, name, count] = process.argv;
const choices = new SavedChoices(path);
for (let i = 0; i < Number(count); i++) choices.keep(`${name}${i}`, "direct");
