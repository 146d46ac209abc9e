import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { FastifyInstance, FastifySchemaValidationError } from 'fastify';

/**
 * Bodies are taken as they are; query strings and paths, which are all text, are coerced. What a schema does not name
 * is removed, so that no handler sees a `role` somebody slipped in.
 */
export function validateStrictly(app: FastifyInstance): void {
  const shared = { allErrors: true, removeAdditional: 'all', useDefaults: true } as const;
  const body = new Ajv(shared);
  // Ajv coerces "Infinity", and with strict numbers then skips minimum and maximum for it.
  const text = new Ajv({ ...shared, coerceTypes: 'array', strictNumbers: false });
  formats.default(body);
  formats.default(text);
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema as object));
}

export function problemsOf(errors: readonly FastifySchemaValidationError[], part: string): string[] {
  return errors.slice(0, 20).map(({ instancePath, keyword, message }) => {
    const field = instancePath.slice(1).replaceAll('/', '.');
    const problem = keyword === 'pattern' ? 'has a form or characters that are not allowed' : message;
    return `${field === '' ? part : field} ${problem ?? 'is not valid'}`;
  });
}
