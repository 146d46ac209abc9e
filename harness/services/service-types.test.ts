import { expect, test } from 'vitest';
import { serviceTypeContract } from '../contracts/services/service-type-contract.ts';
import type { Service } from '../core/tier.ts';
import { serviceTypes } from './registry.ts';

/** What each kind needs to be complete. */
const examples: Readonly<Record<string, Partial<Service>>> = {};

for (const type of serviceTypes) serviceTypeContract(type, examples[type.kind]);

test('each kind has a name of its own', () => {
  const kinds = serviceTypes.map(({ kind }) => kind);
  expect(new Set(kinds).size).toBe(kinds.length);
});
