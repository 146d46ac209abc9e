import { expect, it } from 'vitest';
import { tiersInOrder } from './tier-order.ts';

it('orders the tiers so that each builds on the one before', async () => {
  expect(await tiersInOrder()).toEqual(['single', 'pooled', 'replicated', 'cached']);
});
