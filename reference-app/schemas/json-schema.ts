import { z } from 'zod';

/**
 * The JSON schema Fastify validates requests and serialises answers with. Unknown properties of a request are dropped
 * before a handler sees it, and query strings are coerced to the schema's types.
 */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return json;
}
