import type { RawResponse } from '../../http-client/message.ts';
import type { TrialRequest } from '../engine.ts';
import { countIn, type Share } from './arrivals.ts';
import type { Session, Sessions } from './kept-sessions.ts';
import { createScenarioRunner, type ScenarioRunner } from './scenario-runner.ts';
import type { Transport, TransportConnection } from './transport.ts';

/** Of `StepResult.closedLoop`. */
const CLOSED_LOOP_USERS = 10;

/** States of a user. */
const BUSY = 0;
const READY = 1;
const UNPREPARED = 2;

export interface VirtualUser {
  /** Place among the users of this process. */
  readonly index: number;
  readonly runner: ScenarioRunner;
  connection: UserConnection | undefined;
  phase: 'waiting' | 'setting-up' | 'ready' | 'iterating';
  isSending: boolean;
  /** Its last iteration had a failed request: what its session is worth then, nobody knows. */
  hasFailed: boolean;
  /** When its session was there, by `performance.now()`. */
  sessionSinceMs: number;
  /** Whether one of the closed-loop users would have sent the iteration in flight. */
  isClosedLoopSample: boolean;
  /** Of the request in flight: its scheduled and its actual start, by `performance.now()`. */
  scheduledMs: number;
  startedMs: number;
  thinking: NodeJS.Timeout | undefined;
}

interface UserConnection extends TransportConnection {
  /** Whose request is in flight. */
  user: VirtualUser | undefined;
}

/** The users of one process, and their connections: a user who does something has one to itself. */
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
  /** Of those who are between two iterations. */
  sessions(): Sessions;
  /** The scheduled starts of the requests in flight. */
  inFlightSinceMs(): readonly number[];
  /** Ends what they wait for. */
  close(): void;
}

export function createVirtualUsers(
  request: TrialRequest,
  share: Share,
  transport: Transport,
  {
    mostConnections,
    sessions,
    onResponse,
    onDefect,
  }: {
    readonly mostConnections: number;
    readonly sessions: Sessions;
    onResponse(user: VirtualUser | undefined, response: RawResponse, nowMs: number): void;
    onDefect(error: unknown): void;
  },
): VirtualUsers {
  const { scenario, plan } = request;
  const count = countIn(share, plan.load.model === 'open' ? request.users.length : plan.load.concurrency);
  const users: VirtualUser[] = [];
  const freeUsers = createFreeUsers(count, scenario.begin === undefined);
  const connections = createIdleConnections(countIn(share, mostConnections), connect);
  const closedLoopUsers = createClosedLoopUsers(countIn(share, CLOSED_LOOP_USERS));

  function connect(): UserConnection {
    const { send, close } = transport.connect({
      onResponse: (response, nowMs) => onResponse(connection.user, response, nowMs),
      onDefect,
    });
    const connection: UserConnection = { user: undefined, send, close };
    return connection;
  }

  function at(index: number): VirtualUser {
    const known = users[index];
    if (known !== undefined) return known;
    const number = share.index + index * share.of;
    const session = sessions.get(number);
    const user: VirtualUser = {
      index,
      runner: runnerForUser(request, number, session),
      connection: undefined,
      phase: 'waiting',
      isSending: false,
      hasFailed: false,
      sessionSinceMs: session?.sinceMs ?? 0,
      isClosedLoopSample: false,
      scheduledMs: 0,
      startedMs: 0,
      thinking: undefined,
    };
    users[index] = user;
    return user;
  }

  function occupy(index: number, connection: UserConnection): VirtualUser {
    const user = at(index);
    user.connection = connection;
    connection.user = user;
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
      user.isClosedLoopSample = closedLoopUsers.take();
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
      if (user.isClosedLoopSample) closedLoopUsers.giveBack();
      user.isClosedLoopSample = false;
      if (user.connection === undefined) return;
      user.connection.user = undefined;
      connections.giveBack(user.connection);
      user.connection = undefined;
    },
    startTurns: freeUsers.startTurns,
    sessions: () =>
      new Map(
        users.flatMap((user): [number, Session][] => {
          const begun = user.runner.begun();
          if (begun === undefined || user.hasFailed || user.connection !== undefined) return [];
          return [[share.index + user.index * share.of, { ...begun, sinceMs: user.sessionSinceMs }]];
        }),
      ),
    inFlightSinceMs: () => users.filter((user) => user.isSending).map((user) => user.scheduledMs),
    close() {
      for (const user of users) clearTimeout(user.thinking);
      for (const connection of connections.all()) connection.close();
    },
  };
}

/** The scenario of a trial, as the virtual user with this index goes through it. */
function runnerForUser(
  { scenario, users, plan, skipThinkTimes = false }: TrialRequest,
  virtualUser: number,
  begun: Session | undefined,
) {
  const user = users[virtualUser];
  if (user === undefined) throw new RangeError(`there is no user for virtual user ${virtualUser}`);
  const { seed, baseUrls } = plan;
  return createScenarioRunner({ scenario, user, seed, virtualUser, skipThinkTimes, baseUrls, begun });
}

/**
 * Which virtual users are free to take the next arrival. Arrival n goes to user n modulo their number, so that the same seed
 * makes the same users send the same requests; where that one is busy, to the next free one.
 */
interface FreeUsers {
  /** Takes a user for the next arrival; -1 when all are busy. Those who have not begun come last. */
  take(): number;
  /** From here on the user is free, and has begun. */
  giveBack(user: number): void;
  /** Takes a certain user, who must be free. */
  reserve(user: number): void;
  /** The users take turns from here on: those who have begun, or all where nobody has. */
  startTurns(): void;
}

/** `areReady`: nobody has anything to do before the first iteration. */
export function createFreeUsers(count: number, areReady: boolean): FreeUsers {
  const states = new Uint8Array(count).fill(areReady ? READY : UNPREPARED);
  let turns = count;
  let turn = 0;
  return {
    take() {
      const wanted = turn % turns;
      turn += 1;
      let user = states.indexOf(READY, wanted);
      if (user < 0) user = states.indexOf(READY);
      if (user < 0) user = states.indexOf(UNPREPARED);
      if (user >= 0) states[user] = BUSY;
      return user;
    },
    giveBack(user) {
      states[user] = READY;
    },
    reserve(user) {
      states[user] = BUSY;
    },
    startTurns() {
      turn = 0;
      turns = states.lastIndexOf(READY) + 1 || count;
    },
  };
}

/**
 * Who may send: at most `most` connections, made when they are first needed. The one used last is used next, so that a
 * load uses as few as it needs, and those are warm. Knows nothing of what a connection is.
 */
interface IdleConnections<Connection> {
  /** Undefined: all are in use, and there may be no more. */
  take(): Connection | undefined;
  giveBack(connection: Connection): void;
  /** Every one that was made, in use or not. */
  all(): readonly Connection[];
}

export function createIdleConnections<Connection>(most: number, make: () => Connection): IdleConnections<Connection> {
  const idle: Connection[] = [];
  const all: Connection[] = [];
  return {
    take() {
      const last = idle.pop();
      if (last !== undefined || all.length >= most) return last;
      const fresh = make();
      all.push(fresh);
      return fresh;
    },
    giveBack: (connection) => void idle.push(connection),
    all: () => all,
  };
}

/**
 * A few users beside the arrivals who each wait for a response before they take the next arrival: what they take is what a
 * closed load would have read of the same trial (`StepResult.closedLoop`).
 */
export function createClosedLoopUsers(count: number): { take(): boolean; giveBack(): void } {
  let busy = 0;
  return {
    /** Whether one of them is there to take an arrival. */
    take() {
      if (busy >= count) return false;
      busy += 1;
      return true;
    },
    /** What one of them took has ended. */
    giveBack() {
      busy -= 1;
    },
  };
}
