import { AlexnetError } from "../../errors.js";
import type { Parameter } from "../../network/parameters.js";
import type { Multipliers, State } from "../engine.js";

/** Of a block, in bytes. */
interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** A parameter with the factors of its learning rate and weight decay. */
export interface RatedParameter {
  readonly parameter: Parameter;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** One parameter where an engine's layers want it; `T` is the engine's tensor. */
export interface ParameterPlace<T> extends RatedParameter {
  readonly value: T;
  readonly momentum: T | undefined;
  readonly gradient: T | undefined;
}

/**
 * All parameters of a program. An engine places them: values, momentum and gradients lie in three blocks with the same
 * places in each, so that the update may run over them as flat memory.
 */
export abstract class ProgramParameters<T extends Range, P extends ParameterPlace<T>> {
  readonly placed: P[] = [];
  readonly #table: ReadonlyMap<string, Parameter>;
  readonly #training: boolean;
  readonly #multipliers: Multipliers;

  constructor(table: readonly Parameter[], training: boolean, multipliers: Multipliers = {}) {
    this.#table = new Map(table.map((parameter) => [parameter.name, parameter]));
    this.#training = training;
    this.#multipliers = multipliers;
  }

  /** Whether a step changes anything of `layer`: its parameters' learning rates are not all 0. */
  readonly learns = (layer: string): boolean =>
    this.#training && this.#ownedBy(layer).some(({ name }) => this.#multipliers[name]?.learningRate !== 0);

  /** Places the parameters of a layer that doesn't run: they are only read and written. */
  readonly keep = (layer: string): void => {
    for (const parameter of this.#ownedBy(layer))
      this.placed.push(this.placeUnused({ parameter, learningRate: 0, weightDecay: 0 }));
  };

  /** A row-major copy of everything, in the order of the parameter table. */
  read(state: State): Float32Array {
    const all = new Float32Array([...this.#table.values()].reduce((sum, { count }) => sum + count, 0));
    for (const placed of this.placed) this.copyOut(placed, tensorOf(placed, state), valuesOf(placed, all));
    return all;
  }

  write(state: "parameters" | "momentum", all: Float32Array): void {
    for (const placed of this.placed) this.copyIn(placed, tensorOf(placed, state), valuesOf(placed, all), state);
  }

  /** Where the gradients of these layers lie in their block, side by side. */
  gradientRange(layers: readonly string[]): Range {
    const own = this.placed.flatMap(({ parameter, gradient }) =>
      gradient !== undefined && layers.includes(parameter.layer) ? [gradient] : [],
    );
    const offset = Math.min(...own.map((gradient) => gradient.offset));
    return { offset, bytes: Math.max(...own.map((gradient) => gradient.offset + gradient.bytes)) - offset };
  }

  /** The parameter of this name with its rates, to be placed. */
  protected rated(name: string): RatedParameter {
    const parameter = this.#table.get(name);
    if (parameter === undefined) throw new Error(`${name} is not in the parameter table`);
    const { learningRate = 1, weightDecay = 1 } = this.#multipliers[name] ?? {};
    return { parameter, learningRate, weightDecay };
  }

  /** Gives a parameter of a layer that doesn't run its place. */
  protected abstract placeUnused(rated: RatedParameter): P;
  /** Writes a tensor's values to `values`, row-major. */
  protected abstract copyOut(placed: P, tensor: T, values: Float32Array): void;
  protected abstract copyIn(placed: P, tensor: T, values: Float32Array, state: State): void;

  #ownedBy(layer: string): readonly Parameter[] {
    return [...this.#table.values()].filter((parameter) => parameter.layer === layer);
  }
}

/** @throws AlexnetError "engine" when a program compiled to predict is asked for what only training has */
export function tensorOf<T>(placed: ParameterPlace<T>, state: State): T {
  const tensor = { parameters: placed.value, momentum: placed.momentum, gradients: placed.gradient }[state];
  if (tensor === undefined)
    throw new AlexnetError("engine", `${placed.parameter.name}: a program that predicts has no ${state}`);
  return tensor;
}

/** The part of `all`, in the order of the parameter table, that is this parameter's. */
function valuesOf({ parameter: { offset, count } }: RatedParameter, all: Float32Array): Float32Array {
  return all.subarray(offset, offset + count);
}
