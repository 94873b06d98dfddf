import { parseArgs } from "node:util";
import { syntheticBatch, syntheticPreprocessing } from "#src/benchmark/synthetic.js";
import type { CompileOptions, Program } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { lastFrozenLayer } from "#src/evaluation/frozen-features.js";
import { initialise } from "#src/network/initialise.js";
import { networkByName } from "#src/network/networks.js";
import type { Batch } from "#src/network/picture.js";
import { selectLayers } from "#src/network/select-layers.js";
import { layerRatesOf } from "#src/recipes/layer-rates.js";
import { recipeByName } from "#src/recipes/recipes.js";
import { median } from "#src/scoring/quantiles.js";
import { multipliersOf } from "#src/training/settle.js";

const help = `bench/run fine-tuning [frozen layers] [batch] [steps]

Milliseconds that a training step takes when all layers learn, when some are frozen, and when it begins after those, on what
they made of the pictures. Default: conv1..conv5 128 5.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const [freeze = "conv1..conv5", batchText = "128", stepsText = "5"] = positionals;
const [batchSize, steps] = [Number(batchText), Number(stepsText)];

const network = networkByName("paper");
const recipe = { ...recipeByName("fine-tune"), augmentation: false, layerRates: layerRatesOf(network, { freeze }) };
const engine = await openEngine("auto");
const batch = syntheticBatch(batchSize, network.input.size, 1000);

async function prepared(options: Partial<CompileOptions>): Promise<Program> {
  const preprocessing = syntheticPreprocessing(network.input.size);
  const program = await engine.compile(network, { batchSize, mode: "train", preprocessing, ...options });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  return program;
}

async function time(program: Program, given: Batch): Promise<number> {
  const began = performance.now();
  await program.step(given, { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005, seed: 1 });
  return performance.now() - began;
}

const after = lastFrozenLayer(network, recipe);
if (after === undefined) throw new Error(`${freeze}: nothing before the first layer that learns can be kept`);
const multipliers = multipliersOf(recipe, network);
const looking = await engine.compile(network, {
  batchSize,
  mode: "predict",
  preprocessing: syntheticPreprocessing(network.input.size),
  observe: [after],
});
await looking.predict(batch);
const activations = await looking.activation(after);
await looking.close();

const sides = [
  { name: "all layers learn", program: await prepared({}), given: batch },
  {
    name: `${selectLayers(network, freeze).join(", ")} frozen`,
    program: await prepared({ multipliers }),
    given: batch,
  },
  {
    name: `from what ${after} gave`,
    program: await prepared({ multipliers, after }),
    given: { ...batch, activations },
  },
].map((side) => ({ ...side, times: [] as number[] }));
for (const { program, given } of sides) await time(program, given);
for (let i = 0; i < steps; i++) for (const { program, given, times } of sides) times.push(await time(program, given));

const { library, instructionSet, threads } = engine.description;
console.log(
  `${library}, ${instructionSet}, ${threads} threads; ${network.name}, batch ${batchSize}, median of ${steps}`,
);
const whole = median(sides[0]?.times ?? []);
for (const { name, times } of sides) {
  const milliseconds = median(times);
  const rate = (1000 * batchSize) / milliseconds;
  console.log(
    `${milliseconds.toFixed(0)} ms, ${rate.toFixed(0)} img/s, ${(whole / milliseconds).toFixed(1)}x: ${name}`,
  );
}
await engine.close();
