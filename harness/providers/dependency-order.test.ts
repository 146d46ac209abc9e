import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Service, ServiceKind } from '../core/tier.ts';
import { inDependencyOrder } from './dependency-order.ts';

function service(name: string, kind: ServiceKind, connectsTo: Record<string, string> = {}, instances = 1): Service {
  return { name, kind, instances, settings: {}, resources: {}, connectsTo };
}

it('orders services so that each comes after what it connects to', () => {
  const acyclic = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc
      .tuple(
        ...Array.from({ length: count }, (_, index) => fc.subarray(Array.from({ length: index }, (_, i) => `s${i}`))),
      )
      .chain((needs) =>
        fc.shuffledSubarray(
          needs.map((names, index) => service(`s${index}`, 'api', Object.fromEntries(names.map((n) => [n, n])))),
          { minLength: count },
        ),
      ),
  );
  fc.assert(
    fc.property(acyclic, (services) => {
      const order = inDependencyOrder(services).map(({ name }) => name);
      expect(order.toSorted()).toEqual(services.map(({ name }) => name).toSorted());
      for (const { name, connectsTo } of services) {
        for (const need of Object.values(connectsTo)) expect(order.indexOf(need)).toBeLessThan(order.indexOf(name));
      }
    }),
  );
});

it('shows the circle when services depend on each other', () => {
  const circle = [service('a', 'api', { x: 'b' }), service('b', 'api', { x: 'c' }), service('c', 'api', { x: 'a' })];
  expect(() => inDependencyOrder(circle)).toThrow(/a -> b -> c -> a/);
  expect(() => inDependencyOrder([service('a', 'api', { writer: 'nowhere' })])).toThrow(/'nowhere'/);
});
