import { expect, it } from 'vitest';
import { readTier } from '../harness/files/tier-file.ts';
import { neededFor } from './install-missing.ts';

const lacking = ['redis-server', 'pgbouncer', 'nginx', 'docker', 'chromium', 'k6'].map((name) => ({
  name,
  neededFor: '',
  state: 'missing' as const,
  detail: '',
  install: `apt-get install -y --no-install-recommends ${name}`,
}));

it.each([
  ['single', []],
  ['pooled', ['pgbouncer', 'nginx']],
  ['cached', ['redis-server', 'pgbouncer', 'nginx']],
])('installs for the tier %s what it needs and nothing else', async (name, needed) => {
  expect(neededFor([await readTier(name)], lacking).map((each) => each.name)).toEqual(needed);
});
