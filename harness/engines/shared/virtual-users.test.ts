import { expect, test } from 'vitest';
import { createFreeUsers, createIdleConnections } from './virtual-users.ts';

test('connections are made when they are needed, up to the bound, and the last used is used next', () => {
  let made = 0;
  const connections = createIdleConnections(2, () => {
    made += 1;
    return made;
  });
  expect([connections.take(), connections.take(), connections.take()]).toEqual([1, 2, undefined]);
  connections.giveBack(1);
  connections.giveBack(2);
  expect([connections.take(), made]).toEqual([2, 2]);
  expect(connections.all()).toEqual([1, 2]);
});

test('arrival n goes to user n modulo their number, and to the next free one where that is busy', () => {
  const users = createFreeUsers(4, true);
  users.startTurns();
  expect([users.take(), users.take()]).toEqual([0, 1]);
  users.giveBack(0);
  users.giveBack(1);
  expect([users.take(), users.take(), users.take()]).toEqual([2, 3, 0]);
  users.giveBack(3);
  expect([users.take(), users.take(), users.take()]).toEqual([1, 3, -1]);
  users.giveBack(2);
  expect(users.take()).toBe(2);
});

test('no user is given twice, however they come and go', () => {
  const users = createFreeUsers(10, true);
  users.startTurns();
  const busy = new Set<number>();
  for (let step = 0; step < 5000; step += 1) {
    if ((step * 7919) % 5 < 3) {
      const user = users.take();
      expect(user >= 0).toBe(busy.size < 10);
      expect(busy.has(user)).toBe(false);
      if (user >= 0) busy.add(user);
    } else {
      const [first] = busy;
      if (first === undefined) continue;
      busy.delete(first);
      users.giveBack(first);
    }
  }
});

test('users who have not begun are taken when nobody else is free', () => {
  const users = createFreeUsers(3, false);
  users.reserve(0);
  users.giveBack(0);
  users.startTurns();
  expect([users.take(), users.take(), users.take(), users.take()]).toEqual([0, 1, 2, -1]);
  users.giveBack(0);
  expect(users.take()).toBe(0);
});
