import type { Socket } from 'node:net';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from 'fastify';

/** An answer other than success that a client may see: becomes `{ success: false, message, code }`. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  /** Whole seconds for the Retry-After header. */
  readonly retryAfterS: number | undefined;

  constructor(statusCode: number, code: string, message: string, retryAfterS?: number) {
    super(message);
    this.name = 'ApiError';
    this.statusCode = statusCode;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

const codes: Record<string, [code: string, message: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The request body is too large.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_REQUEST', 'The body is not as long as Content-Length says.'],
};

/** Text PostgreSQL cannot hold, such as a NUL character. */
const unstorableText = new Set(['22021', '22P05']);

/** Every failure leaves as `{ success: false, message, code }`; what went wrong inside is logged and never shown. */
export function answerFailures(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendFailure(toApiError(error, request), error, reply));
}

/**
 * Call before routes are added, and the function it returns when all hooks that count requests are: an unknown address
 * is a 404 and an unknown method a 405, before anything of a body is read.
 */
export function watchRoutes(app: FastifyInstance): () => void {
  const routes = new Map<string, { readonly address: RegExp; readonly methods: string[] }>();
  app.addHook('onRoute', ({ method, url }) => {
    // That of preflight requests is `*`: it says nothing of an address.
    if (!url.startsWith('/')) return;
    const address = new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+').replace('*', '.*')}$`);
    const { methods } = routes.get(url) ?? { methods: [] };
    routes.set(url, { address, methods: [...methods, method].flat() });
  });
  return () =>
    void app.addHook('onRequest', (request, reply, done) => {
      const path = request.url.split('?', 1)[0] ?? '';
      // PUT /tasks/stats finds the route of PUT /tasks/:id.
      const fixed = routes.get(path);
      if (!request.is404 && (fixed === undefined || request.routeOptions.url === path)) return done();
      const found = fixed === undefined ? [...routes.values()].filter(({ address }) => address.test(path)) : [fixed];
      if (found.length === 0) return done(new ApiError(404, 'NOT_FOUND', 'There is nothing at this address.'));
      reply.header('allow', found.flatMap(({ methods }) => methods).join(', '));
      done(new ApiError(405, 'METHOD_NOT_ALLOWED', `${request.method} is not possible at this address.`));
    });
}

function sendFailure(failure: ApiError, error: FastifyError, reply: FastifyReply): void {
  reply.code(failure.statusCode);
  if (failure.retryAfterS !== undefined) reply.header('retry-after', failure.retryAfterS);
  if (failure.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  const problems = error.validation && problemsOf(error.validation, error.validationContext ?? 'request');
  reply.send({ success: false, message: failure.message, code: failure.code, ...(problems && { problems }) });
}

function toApiError(error: FastifyError, request: FastifyRequest): ApiError {
  if (error instanceof ApiError) return error;
  if (error.validation) return new ApiError(400, 'INVALID_REQUEST', 'The request is not valid.');
  if (error instanceof SyntaxError) return new ApiError(400, 'MALFORMED_JSON', 'The body is not valid JSON.');
  if (unstorableText.has(error.code)) return new ApiError(400, 'INVALID_REQUEST', 'Text with control characters.');
  const { statusCode } = error;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const [code, message] = codes[error.code] ?? ['INVALID_REQUEST', 'The request is not valid.'];
    return new ApiError(statusCode, code, message);
  }
  const unavailable = databaseUnavailable(error);
  if (unavailable !== undefined) {
    request.log.warn({ reason: error.message }, 'the database did not answer');
    return unavailable;
  }
  request.log.error({ err: error }, 'a request failed');
  return new ApiError(500, 'INTERNAL_ERROR', 'Something went wrong on our side.');
}

/** An address that cannot be decoded, and so belongs to no route. */
export function answerBadAddress(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const message = 'The address of the request is not valid.';
  reply.code(error.statusCode ?? 400).send({ success: false, message, code: 'INVALID_REQUEST' });
}

/** Requests so broken that no route sees them. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'REQUEST_TIMEOUT']
        : ['400 Bad Request', 'INVALID_REQUEST'];
  const body = JSON.stringify({ success: false, message: 'The request is not valid.', code });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

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

function problemsOf(errors: readonly FastifySchemaValidationError[], part: string): string[] {
  return errors.slice(0, 20).map(({ instancePath, keyword, message }) => {
    const field = instancePath.slice(1).replaceAll('/', '.');
    const problem = keyword === 'pattern' ? 'has a form or characters that are not allowed' : message;
    return `${field === '' ? part : field} ${problem ?? 'is not valid'}`;
  });
}

const lostConnection =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection/;
const unavailableCodes =
  /^(08...|53...|57...|25006|ECONN[A-Z]+|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH)$/;

/** A 503 when the error says that the database cannot answer now; nothing for any other error. */
export function databaseUnavailable(error: Error & { code?: string }): ApiError | undefined {
  const unavailable = unavailableCodes.test(error.code ?? '') || lostConnection.test(error.message);
  if (!unavailable) return undefined;
  return new ApiError(503, 'DATABASE_UNAVAILABLE', 'The database does not answer. Try again in a moment.', 1);
}
