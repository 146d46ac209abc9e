import { expect, test } from 'vitest';
import { createK6Words } from './k6-words.ts';

test('failures and the error of the script are for tierbench, the last other lines for a person', () => {
  const words = createK6Words();
  words.hear('Request Failed\ntierbench-failure {"step":"pay","outcome":"timeout","message":"late"}\nfir');
  words.hear('st\ntierbench-failure {"step":"pay","outcome":"timeout","message":"later"}\n\nsecond\nlast');
  words.end();
  expect(words.failure({ step: 'pay', outcome: 'timeout' })).toBe('late');
  expect(words.failure({ step: 'pay', outcome: 'reset' })).not.toBe('');
  expect(words.last()).toBe('first | second | last');
  expect(words.error()).toBeUndefined();
});

test('an error of the script keeps its code, words and next step', () => {
  const words = createK6Words();
  words.hear('tierbench-error {"code":"SCENARIO_THREW","message":"oops","nextStep":"fix it"}\n');
  words.hear('tierbench-error {"code":"ANOTHER","message":"","nextStep":""}\n');
  expect(words.error()).toMatchObject({ code: 'SCENARIO_THREW', message: 'oops', nextStep: 'fix it' });
});

test('lines that were cut short are no error, and a flood of words is not kept', () => {
  const words = createK6Words();
  words.hear('tierbench-failure {"step":"pay","outco\ntierbench-error {"code"\n');
  for (let index = 0; index < 1000; index += 1) words.hear(`${index} ${'x'.repeat(1000)}\n`);
  expect(words.error()).toBeUndefined();
  expect(words.last().length).toBeLessThan(2000);
  expect(words.last()).toContain('999 x');
});
