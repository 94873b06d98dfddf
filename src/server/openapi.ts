import { z } from "zod";
import { packageVersion } from "../version.js";
import type { Route } from "./routes.js";
import { PICTURE_BYTES } from "./uploads.js";

/** The interface as OpenAPI 3.1, from the same schemas that requests are checked by. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/api${route.path.replace(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "alexnet",
      version: packageVersion(),
      description: "Training runs of the AlexNet, live, and what they learned.",
    },
    paths,
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  };
}

function operation({ path, summary, query, body, type }: Route): object {
  return {
    summary,
    parameters: [
      ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      ...(query === undefined ? [] : queryParameters(query)),
    ],
    ...(body !== undefined && { requestBody: requestBody(body) }),
    responses: {
      "2XX": { description: "What was asked for.", content: { [type]: {} } },
      default: {
        description: "What is wrong, in words.",
        content: { "application/json": { schema: z.toJSONSchema(problemSchema) } },
      },
    },
  };
}

const problemSchema = z.object({ error: z.object({ message: z.string() }) });

function queryParameters(query: z.ZodObject): readonly object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

function requestBody(body: NonNullable<Route["body"]>): object {
  if (body !== "pictures")
    return { required: true, content: { "application/json": { schema: z.toJSONSchema(body, { io: "input" }) } } };
  const bytes = { type: "string", format: "binary", maxLength: PICTURE_BYTES };
  const form = { type: "object", properties: { picture: { type: "array", items: bytes } } };
  return {
    required: true,
    content: { "image/*": { schema: bytes }, "multipart/form-data": { schema: form } },
  };
}
