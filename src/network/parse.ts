import { z } from "zod";
import { AlexnetError } from "../errors.js";
import type { Network } from "./network.js";
import { inferShapes } from "./shapes.js";

/** Names become parts of file names and of parameters' names. */
const name = z
  .string()
  .regex(/^[A-Za-z][\w.-]{0,99}$/, 'must be a word of letters, digits, "-", "_" or "." that starts with a letter')
  .refine((word) => !(word in {}), "is a word JavaScript keeps for itself");

const kinds = {
  convolution: z.strictObject({
    kind: z.literal("convolution"),
    name,
    filters: z.number(),
    size: z.number(),
    stride: z.number(),
    padding: z.number(),
    groups: z.number(),
  }),
  relu: z.strictObject({ kind: z.literal("relu"), name }),
  tanh: z.strictObject({ kind: z.literal("tanh"), name }),
  "local-response-norm": z.strictObject({
    kind: z.literal("local-response-norm"),
    name,
    k: z.number(),
    n: z.number(),
    alpha: z.number(),
    beta: z.number(),
    region: z.enum(["across-maps", "within-map"]).exactOptional(),
    groups: z.number().exactOptional(),
  }),
  "max-pool": z.strictObject({ kind: z.literal("max-pool"), name, size: z.number(), stride: z.number() }),
  "average-pool": z.strictObject({ kind: z.literal("average-pool"), name, size: z.number(), stride: z.number() }),
  "fully-connected": z.strictObject({ kind: z.literal("fully-connected"), name, outputs: z.number() }),
  dropout: z.strictObject({ kind: z.literal("dropout"), name, rate: z.number() }),
};

/** What each field holds; whether the layers fit each other is for `inferShapes` to say. */
const schema: z.ZodType<Network> = z.strictObject({
  name,
  input: z.strictObject({ channels: z.literal(3), size: z.number() }),
  layers: z.array(
    z.discriminatedUnion("kind", [
      kinds.convolution,
      kinds.relu,
      kinds.tanh,
      kinds["local-response-norm"],
      kinds["max-pool"],
      kinds["average-pool"],
      kinds["fully-connected"],
      kinds.dropout,
    ]),
  ),
});

/**
 * A network out of data from outside: every field is there, known and of its type, and the layers fit each other.
 * @throws AlexnetError "invalid-network" naming `origin`, the layer, the field and the rule.
 */
export function parseNetwork(value: unknown, origin: string): Network {
  const fail = (message: string): never => {
    throw new AlexnetError("invalid-network", `${origin}: ${message}`);
  };
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) return fail(parsed.error.issues.map((issue) => explain(value, issue))[0] ?? "it is no network");
  try {
    inferShapes(parsed.data);
  } catch (error) {
    if (error instanceof AlexnetError) fail(error.message);
    throw error;
  }
  return parsed.data;
}

/** The first thing wrong, in the words of the file: the layer's name, the field, what it holds, the rule. */
function explain(value: unknown, issue: z.core.$ZodIssue): string {
  const [first, index, ...rest] = issue.path;
  if (first !== "layers" || typeof index !== "number") return rule(issue, issue.path.join("."));
  const layer = member(member(value, "layers"), index);
  const [layerName, kind] = [member(layer, "name"), member(layer, "kind")];
  const where = typeof layerName === "string" && layerName !== "" ? layerName : `layer ${index + 1}`;
  if (!isKind(kind) && rest[0] === "kind")
    return `${where}: kind=${show(kind)} must be one of ${Object.keys(kinds).join(", ")}`;
  const fields = isKind(kind) ? `; a ${kind} layer has ${Object.keys(kinds[kind].shape).join(", ")}` : "";
  return `${where}: ${rule(issue, rest.join("."))}${fields}`;
}

function rule(issue: z.core.$ZodIssue, field: string): string {
  if (issue.code === "unrecognized_keys") return `has an unknown field ${issue.keys.join(", ")}`;
  if (issue.input === undefined && field !== "") return `has no ${field}`;
  return `${field === "" ? "" : `${field}=`}${show(issue.input)}: ${issue.message}`;
}

function isKind(kind: unknown): kind is keyof typeof kinds {
  return typeof kind === "string" && Object.hasOwn(kinds, kind);
}

function member(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function show(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "(nothing)").slice(0, 60);
}
