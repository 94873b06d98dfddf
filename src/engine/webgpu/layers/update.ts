import { type Build, slice } from "../build.js";
import type { Dispatch, Tensor } from "../dispatch.js";
import type { Parameters } from "../parameters.js";
import type { StepInputBlock } from "../step-inputs.js";
import { each, FINITE, float } from "../wgsl.js";

/** Neighbours in memory that learn at the same rates. */
interface Run {
  readonly start: number;
  end: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Adds the update of all parameters that learn; none when the step's loss, the first of `result`, isn't finite. */
export function addUpdate(build: Build, parameters: Parameters, inputs: StepInputBlock, result: Tensor): void {
  const runs = runsOf(parameters);
  const [first] = parameters.placed;
  if (runs.length === 0 || first?.momentum === undefined || first.gradient === undefined) return;
  const { value, momentum, gradient } = first;
  const most = Math.floor(build.gpu.limits.bindingBytes / 256) * 64; // values, at multiples of 256 bytes
  const dispatches = runs.flatMap(({ start, end, learningRate, weightDecay }) =>
    Array.from({ length: Math.ceil((end - start) / most) }, (_, i): Dispatch => {
      const at = start + i * most;
      const length = Math.min(most, end - at);
      const within = (tensor: Tensor) => slice({ ...tensor, offset: 0 }, at, length);
      const { code, workgroups } = each(
        length,
        `if (!is_finite(bitcast<f32>(result[0]))) { return; }
  let rate = step_learning_rate() * ${float(learningRate)};
  let decay = step_weight_decay() * ${float(weightDecay)};
  let v = step_momentum() * momentum[index] - decay * rate * values[index] - rate * gradients[index];
  momentum[index] = v;
  values[index] += v;`,
      );
      return {
        bindings: {
          inputs: inputs.tensor,
          result,
          values: within(value),
          momentum: within(momentum),
          gradients: within(gradient),
        },
        formats: { inputs: "u32", result: "u32" },
        code: `${inputs.wgsl}${FINITE}${code}`,
        workgroups,
      };
    }),
  );
  build.add({ layer: "update", kind: "update", direction: "update" }, "update", dispatches);
}

/** In values from the blocks' start. What lies between parameters is 0 in all blocks, and stays so. */
function runsOf({ placed }: Parameters): readonly Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (const { value, learningRate, weightDecay } of placed) {
    const start = value.offset / 4;
    const end = start + value.length;
    if (learningRate === 0)
      open = undefined; // momentum must not move it either
    else if (open?.learningRate === learningRate && open.weightDecay === weightDecay) open.end = end;
    else {
      open = { start, end, learningRate, weightDecay };
      runs.push(open);
    }
  }
  return runs;
}
