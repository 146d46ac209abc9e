/** As many as a tool of waiting users commonly has. */
const USERS = 10;

/**
 * A few users beside the arrivals who each wait for an answer before they take the next one: what they take is what a
 * closed load would have read of the same trial (`StepResult.coordinated`).
 */
export interface WaitingUsers {
  /** An arrival is due: whether one of them is there to take it. */
  take(): boolean;
  /** One that was taken has ended. */
  giveBack(): void;
}

export function createWaitingUsers(): WaitingUsers {
  let waiting = 0;
  return {
    take() {
      if (waiting >= USERS) return false;
      waiting += 1;
      return true;
    },
    giveBack() {
      waiting -= 1;
    },
  };
}
