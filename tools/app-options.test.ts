import { expect, test } from 'vitest';
import { referenceApp } from '../harness/services/reference-app.ts';
import { options } from '../reference-app/options.ts';

const { roles, secrets, settings } = referenceApp;

test('a tier may set every option of the app that tierbench does not set itself, and no other', () => {
  const itself = [...settings.reserved, ...secrets, ...Object.values(roles).map(({ variable }) => variable)];
  const ofNode = ['UV_THREADPOOL_SIZE', 'NODE_OPTIONS'];
  expect([...settings.names, ...itself].sort()).toEqual([...Object.keys(options), ...ofNode].sort());
});

test.each([
  ['NONSENSE_OPTION', 'The options are in reference-app/README.md.'],
  ['RATE_LIMITS', "Did you mean 'RATE_LIMIT'?"],
  ['rate_limit', "Did you mean 'RATE_LIMIT'?"],
  ['toString', 'The options are in reference-app/README.md.'],
])('a setting that is no option is refused: %s', (name, nextStep) => {
  expect(settings.problem(name, 1)).toEqual({ part: 'key', what: 'is no option of the app', nextStep });
});
