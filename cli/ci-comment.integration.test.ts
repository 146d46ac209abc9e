import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';
import { commentScript } from './ci-templates.ts';

interface Comment {
  readonly id: number;
  readonly body: string;
}

/** The comments of a pull request as GitHub keeps them, 100 on a page. */
let comments: Comment[];
let refuses: boolean;
let server: Server;
let folder: string;

beforeEach(async () => {
  comments = Array.from({ length: 120 }, (_, id) => ({ id, body: 'Of somebody else' }));
  refuses = false;
  folder = await mkdtemp(join(tmpdir(), 'comment-'));
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const page = Number(searchParams.get('page'));
    if (request.method === 'GET') {
      response.end(JSON.stringify(comments.slice(100 * (page - 1), 100 * page)));
      return;
    }
    if (refuses || request.headers.authorization !== 'Bearer token') {
      response.writeHead(403).end();
      return;
    }
    const { body } = JSON.parse(Buffer.concat(parts).toString());
    const id = Number(/\/issues\/comments\/(\d+)$/u.exec(pathname)?.[1] ?? comments.length);
    comments[id] = { id, body };
    response.end('{}');
  });
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

async function comment(text: string): Promise<string> {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const file = join(folder, 'comment.md');
  await writeFile(file, text);
  const env = {
    PATH: process.env.PATH,
    COMMENT: file,
    NUMBER: '7',
    TOKEN: 'token',
    GITHUB_API_URL: `http://127.0.0.1:${port}`,
    GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_REPOSITORY: 'owner/app',
    GITHUB_RUN_ID: '5',
  };
  const words = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', commentScript];
  return (await promisify(execFile)('bash', words, { env })).stdout;
}

describe.skipIf(lacks('jq'))('the comment on a pull request (needs jq)', () => {
  it('is written once, and updated in place', async () => {
    await comment('<!-- tierbench:gate-crud-single -->\nSlower: "`$(id)`".\n');
    await comment('<!-- tierbench:gate-login-single -->\nAnother.\n');
    await comment('<!-- tierbench:gate-crud-single -->\nNot slower.\n');
    const own = comments.slice(120).map(({ body }) => body.split('\n')[1]);
    expect(own).toEqual(['Not slower.', 'Another.']);
    expect(comments[120]?.body).toContain('https://github.example/owner/app/actions/runs/5');
  });

  it('fails nothing where it may not be written, or there is none', async () => {
    refuses = true;
    expect(await comment('<!-- tierbench:gate-crud-single -->\nSlower.\n')).toContain('::warning::');
    expect(await comment('')).toBe('');
    expect(comments).toHaveLength(120);
  });
});
