import type { LightMyRequestResponse } from 'fastify';

/** A server of a test, as a process of its own. */
interface Stoppable {
  processIds(): readonly number[];
}

/** It keeps its connections and answers nothing, like a machine that hangs. */
export function pause(server: Stoppable): void {
  for (const processId of server.processIds()) process.kill(processId, 'SIGSTOP');
}

export function resume(server: Stoppable): void {
  for (const processId of server.processIds()) process.kill(processId, 'SIGCONT');
}

export interface Load {
  /** Of the answers so far. */
  readonly answers: readonly LightMyRequestResponse[];
  statuses(): ReadonlySet<number>;
  /** How many answers with this status came after the one with the number `since`. */
  count(status: number, since?: number): number;
  /** Resolves when the last answer is there. */
  stop(): Promise<void>;
}

/** Requests one after the other from several clients at once, until it is stopped. */
export function startLoad(clients: number, request: (number: number) => Promise<LightMyRequestResponse>): Load {
  const answers: LightMyRequestResponse[] = [];
  let stopping = false;
  let sent = 0;
  const client = async () => {
    while (!stopping) {
      sent += 1;
      answers.push(await request(sent));
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    answers,
    statuses: () => new Set(answers.map(({ statusCode }) => statusCode)),
    count: (status, since = 0) => answers.slice(since).filter(({ statusCode }) => statusCode === status).length,
    async stop() {
      stopping = true;
      await all;
    },
  };
}

/** The value of one line of /metrics, 0 when it is not there yet. */
export function metric(metrics: string, line: string): number {
  const found = metrics.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}
