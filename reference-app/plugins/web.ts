import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { accessCookie, refreshCookie } from './authentication.ts';
import { writePositionHeader } from './write-positions.ts';

const contentTypes = { json: 'application/json', text: 'text/plain' };

/** Third-party plugins: cookies, security headers, CORS, OpenAPI. */
export function registerWebPlugins(app: FastifyInstance, config: Config): void {
  app.register(cookie);
  app.register(helmet, {
    // Answers are data: should a browser ever show one as a page, nothing in it may run. /docs has a policy of its own.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    hsts: config.NODE_ENV === 'production',
  });
  if (config.CORS_ORIGINS.length > 0) {
    app.register(cors, {
      origin: config.CORS_ORIGINS,
      credentials: true,
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', writePositionHeader],
      exposedHeaders: ['retry-after', 'x-request-id', writePositionHeader],
      maxAge: 600,
    });
  }
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Reference app', description: 'Authentication and tasks', version: '0.1.0' },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          accessCookie: { type: 'apiKey', in: 'cookie', name: accessCookie },
          refreshCookie: { type: 'apiKey', in: 'cookie', name: refreshCookie },
        },
      },
    },
  });
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': "'self'",
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'object-src': "'none'",
      'frame-ancestors': "'none'",
    },
  });
}

/**
 * JSON only: a form or plain text is what a foreign page could send without asking. An empty body is no body, and what
 * could change a prototype is removed like any other field that no schema names.
 */
export function parseJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('remove', 'remove');
  app.removeContentTypeParser([contentTypes.json, contentTypes.text]);
  app.addContentTypeParser(contentTypes.json, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, body as string, done);
  });
}
