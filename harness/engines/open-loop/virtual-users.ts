import type { Connection } from '../../http-client/connection.ts';
import { createIdleConnections } from '../../http-client/idle-connections.ts';
import type { TrialRequest } from '../engine.ts';
import { runnerForUser } from '../runner-for-user.ts';
import type { ScenarioRunner } from '../scenario-runner.ts';
import { createFreeUsers } from './free-users.ts';
import { countIn, type Share } from './share.ts';
import { createWaitingUsers } from './waiting-users.ts';

/** Of `StepResult.coordinated`. */
const WAITING_USERS = 10;

export interface VirtualUser {
  /** Place among the users of this thread. */
  readonly index: number;
  readonly runner: ScenarioRunner;
  connection: Connection<VirtualUser> | undefined;
  phase: 'waiting' | 'beginning' | 'begun' | 'iterating';
  isSending: boolean;
  /** Whether one of the waiting users would have sent the iteration under way. */
  isCoordinated: boolean;
  /** Of the request in flight: when it was meant to start, and when it did, by `performance.now()`. */
  dueMs: number;
  startedMs: number;
  thinking: NodeJS.Timeout | undefined;
}

/** The users of one thread, and their connections: a user who does something has one to itself. */
export interface VirtualUsers {
  readonly count: number;
  /** Makes those who were not yet needed, too. */
  all(): readonly VirtualUser[];
  /** One to take the next arrival; undefined when nobody is free, or no connection. */
  takeFree(): VirtualUser | undefined;
  /** A certain one, who must be free; undefined when no connection is. */
  take(index: number): VirtualUser | undefined;
  release(user: VirtualUser): void;
  /** Arrivals go to them in turns from here on. */
  startTurns(): void;
  /** Ends what they wait for; gives the intended starts of the requests that were under way. */
  close(): readonly number[];
}

export function createVirtualUsers(
  request: TrialRequest,
  share: Share,
  { mostConnections, connect }: { readonly mostConnections: number; connect(): Connection<VirtualUser> },
): VirtualUsers {
  const { scenario, plan } = request;
  const count = countIn(share, plan.load.model === 'open' ? request.users.length : plan.load.concurrency);
  const users: VirtualUser[] = [];
  const freeUsers = createFreeUsers(count, scenario.begin === undefined);
  const connections = createIdleConnections(mostConnections, connect);
  const waitingUsers = createWaitingUsers(countIn(share, WAITING_USERS));

  function at(index: number): VirtualUser {
    const known = users[index];
    if (known !== undefined) return known;
    const user: VirtualUser = {
      index,
      runner: runnerForUser(request, share.index + index * share.of),
      connection: undefined,
      phase: 'waiting',
      isSending: false,
      isCoordinated: false,
      dueMs: 0,
      startedMs: 0,
      thinking: undefined,
    };
    users[index] = user;
    return user;
  }

  function occupy(index: number, connection: Connection<VirtualUser>): VirtualUser {
    const user = at(index);
    user.connection = connection;
    connection.owner = user;
    return user;
  }

  return {
    count,
    all() {
      for (let index = 0; index < count; index += 1) at(index);
      return users;
    },
    takeFree() {
      const connection = connections.take();
      if (connection === undefined) return undefined;
      const index = freeUsers.take();
      if (index < 0) {
        connections.giveBack(connection);
        return undefined;
      }
      const user = occupy(index, connection);
      user.isCoordinated = waitingUsers.take();
      return user;
    },
    take(index) {
      const connection = at(index).connection ?? connections.take();
      if (connection === undefined) return undefined;
      freeUsers.reserve(index);
      return occupy(index, connection);
    },
    release(user) {
      freeUsers.giveBack(user.index);
      if (user.isCoordinated) waitingUsers.giveBack();
      user.isCoordinated = false;
      if (user.connection === undefined) return;
      user.connection.owner = undefined;
      connections.giveBack(user.connection);
      user.connection = undefined;
    },
    startTurns: freeUsers.startTurns,
    close() {
      const underWay = users.filter((user) => user.isSending).map((user) => user.dueMs);
      for (const user of users) clearTimeout(user.thinking);
      for (const connection of connections.all()) connection.close();
      return underWay;
    },
  };
}
