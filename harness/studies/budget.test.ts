import { expect, it } from 'vitest';
import type { Reason } from '../core/findings.ts';
import type { Validity } from '../judging/judged-trial.ts';
import { mayBeValidNextTime } from './budget.ts';

const stolen: Reason = { code: 'cpu-stolen', ratio: 0.1, limitRatio: 0.05 };
const foreign: Reason = { code: 'foreign-cpu', ratio: 0.6, limitRatio: 0.5 };
const drift: Reason = { code: 'latency-drift', firstHalfMeanS: 0.01, secondHalfMeanS: 0.02 };
const busy: Reason = { code: 'generator-busy', utilizationRatio: 0.9, limitRatio: 0.8 };
const nearLimit: Reason = { code: 'near-generator-limit', ratePerS: 90, ceilingPerS: 100, limitRatio: 0.8 };
const tooFew: Reason = { code: 'too-few-requests', requests: 3, neededRequests: 59 };

it.each<[string, boolean, Validity]>([
  ['is valid', false, { kind: 'valid' }],
  ['lost CPU to the host', true, { kind: 'invalid', reasons: [stolen], overloaded: false }],
  ['lost CPU to the host and to others', true, { kind: 'invalid', reasons: [stolen, foreign], overloaded: false }],
  ['was not steady', true, { kind: 'invalid', reasons: [drift, foreign], overloaded: false }],
  ['overloads the system', false, { kind: 'invalid', reasons: [drift], overloaded: true }],
  ['keeps the generator busy', false, { kind: 'invalid', reasons: [busy], overloaded: false }],
  ['keeps the generator busy beside others', false, { kind: 'invalid', reasons: [foreign, busy], overloaded: false }],
  ['comes near the limit of the generator', false, { kind: 'invalid', reasons: [nearLimit], overloaded: false }],
  ['has too few requests', false, { kind: 'invalid', reasons: [tooFew], overloaded: false }],
])('a trial that %s may be valid next time: %s', (_, may, validity) => {
  expect(mayBeValidNextTime({ validity })).toBe(may);
});
