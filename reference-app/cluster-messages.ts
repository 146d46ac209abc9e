/** What the primary process and its workers tell each other. */
export type ToWorker =
  | { kind: 'stop' }
  /** Of all instances; without a text when one of them does not answer. */
  | { kind: 'all-metrics'; id: number; text?: string };

export type ToPrimary = { kind: 'failed'; problem: string } | { kind: 'want-all-metrics'; id: number };
