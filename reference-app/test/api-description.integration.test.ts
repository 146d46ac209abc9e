import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../app.ts';
import { startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase } from './postgres.ts';
import { chromiumProgram, lacks } from './programs.ts';

interface Operation {
  readonly security?: readonly Record<string, string[]>[];
  readonly requestBody?: { content: Record<string, { schema: { required: string[] } }> };
  readonly responses: Record<string, unknown>;
}

let databaseUrl: string;
let app: TestApp;
let description: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, unknown> };
};

beforeAll(async () => {
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl));
  description = (await app.get('/openapi.json')).json();
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

const operations = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

describe('the description of the API', () => {
  test('names every route there is, and what a body must have', async () => {
    const routes: string[] = [];
    const built = buildApp(testConfig(databaseUrl));
    built.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    });
    await built.ready();
    await built.close();
    const described = operations().map(({ method, path }) => `${method} ${path}`);
    const ofTheApi = routes.filter((route) => !/^(HEAD|OPTIONS) | \/docs|\/openapi\.json/.test(route));
    expect(described.sort()).toEqual(ofTheApi.sort());
    expect(description.openapi).toMatch(/^3\.1/);
    const login = description.paths['/api/auth/login']?.post;
    expect(login?.requestBody?.content['application/json']?.schema.required).toEqual(['email', 'password']);
    expect(login?.responses['200']).toBeDefined();
  });

  test('says of each route whether it must be signed in for, and that is so', async () => {
    const schemes = Object.keys(description.components.securitySchemes);
    for (const { method, path, operation } of operations()) {
      const url = path.replace('{id}', path.includes('sessions') ? '00000000-0000-0000-0000-000000000000' : '1');
      const { statusCode } = await app.send({ method: method as 'GET', url });
      const isProtected = operation.security !== undefined;
      expect([method, path, isProtected]).toEqual([method, path, statusCode === 401]);
      for (const scheme of operation.security ?? [])
        expect(schemes).toEqual(expect.arrayContaining(Object.keys(scheme)));
    }
  });
});

describe('its page', () => {
  test('may load what it needs, and other answers may load nothing', async () => {
    const page = await app.get('/docs/');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const { headers } = await app.get('/health');
    expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
  });

  describe.skipIf(lacks('chromium'))('in a browser (needs chromium)', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: chromiumProgram() ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
      });
    });
    afterAll(() => browser?.close());

    test('shows every route, and its policy blocks nothing it needs', async () => {
      const address = await app.app.listen({ host: '127.0.0.1', port: 0 });
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
      page.on('pageerror', (error) => void complaints.push(error.message));
      await page.goto(`${address}/docs`);
      await page
        .locator('.opblock-summary-path')
        .nth(operations().length - 1)
        .waitFor();
      const shown = await page.locator('.opblock-summary-path').allTextContents();
      const plain = (path: string) => path.replaceAll('\u200b', '');
      expect(shown.map(plain).sort()).toEqual(
        operations()
          .map(({ path }) => path)
          .sort(),
      );
      expect(complaints).toEqual([]);
    });
  });
});
