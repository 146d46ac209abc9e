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

export function createWaitingUsers(count: number): WaitingUsers {
  let busy = 0;
  return {
    take() {
      if (busy >= count) return false;
      busy += 1;
      return true;
    },
    giveBack() {
      busy -= 1;
    },
  };
}
