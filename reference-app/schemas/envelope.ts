import { z } from 'zod';

/**
 * The JSON schema Fastify validates requests and serialises answers with. Unknown properties of a request are dropped
 * before a handler sees it, and query strings are coerced to the schema's types.
 */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return json;
}

/** A moment in an answer: handlers give a Date or an ISO 8601 string. */
export const timestamp = z.string().meta({ format: 'date-time' });

/** Text a person typed: no control characters, which PostgreSQL (NUL) or a terminal would take badly. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a class by its name is unknown to many readers of a schema
export const plainText = z.string().regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$/);

const failure = z.object({
  success: z.literal(false),
  message: z.string(),
  code: z.string().meta({ description: 'stable, for programs' }),
  problems: z.array(z.string()).optional().meta({ description: 'each problem of an invalid request' }),
});

export const done = z.object({ success: z.literal(true), message: z.string() });

/** The answers of a route: its own, and the failures every route shares. */
export function answers(successes: Record<number, z.ZodType>): Record<string, unknown> {
  const all: Record<string, unknown> = { '4xx': jsonSchema(failure), '5xx': jsonSchema(failure) };
  for (const [status, schema] of Object.entries(successes)) all[status] = jsonSchema(schema);
  return all;
}

/** How a request may say whom it comes from, for the description of the API; any one of a list is enough. */
export const signedIn = [{ bearer: [] }, { accessCookie: [] }];
export const refreshing = [{ refreshCookie: [] }];
