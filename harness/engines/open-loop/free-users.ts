const BUSY = 0;
const READY = 1;
const UNPREPARED = 2;

/**
 * Which virtual users are free to take what is due. Arrival n goes to user n modulo their number, so that the same seed
 * makes the same users send the same requests; where that one is busy, to the next free one.
 */
export interface FreeUsers {
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
