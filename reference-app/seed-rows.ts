import { taskPriorities, taskStatuses } from './schemas/tasks.ts';

/** Numbers in 0..1 from a seed (mulberry32): the same seed gives the same rows on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows end here, whatever today is: a row never depends on when it was made. */
const LAST_CREATED_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const HISTORY_MS = 365 * DAY_MS;

// COPY's text format wants tabs, newlines and backslashes escaped; the words below have none.
const VERBS = 'Review Write Fix Plan Call Order Test Clean Measure Draw Sign Send Check Move Paint Close'.split(' ');
const THINGS =
  'invoice report garden budget contract backup kitchen server bicycle roof letter camera ticket library boat recipe'.split(
    ' ',
  );
const WORDS =
  'the a with before after until monday friday team office supplier customer number page colour water window paper copy second first early late quick quiet small large blue green north south morning evening coffee bread river stone bridge'.split(
    ' ',
  );

/** COPY rows of users: id, email, password_hash, name, role, email_verified_at, created_at, updated_at. */
export function* userRows(users: number, passwordHash: string): Generator<string> {
  const createdAt = timestamp(LAST_CREATED_MS - HISTORY_MS);
  const row = (id: number, email: string, name: string, role: string): string =>
    `${id}\t${email}\t${passwordHash}\t${name}\t${role}\t${createdAt}\t${createdAt}\t${createdAt}\n`;
  for (let id = 1; id <= users; id += 1) yield row(id, `user-${id}@bench.example`, `User ${id}`, 'user');
  yield row(users + 1, 'admin@bench.example', 'Administrator', 'admin');
}

/**
 * COPY rows of tasks, oldest first: id, user_id, title, description, status, priority, due_at, created_at, updated_at.
 * The users take turns, so one user's tasks lie spread over the table as they would after months of use. Stored user
 * by user, every list would find its rows on a handful of neighbouring pages and look faster than it is.
 */
export function* taskRows(users: number, tasksPerUser: number, seed: number): Generator<string> {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const total = users * tasksPerUser;
  for (let id = 1; id <= total; id += 1) {
    const createdMs = Math.floor(LAST_CREATED_MS - HISTORY_MS + (id / total) * HISTORY_MS);
    const updatedMs = Math.floor(createdMs + random() * 7 * DAY_MS);
    const dueAt = random() < 0.25 ? '\\N' : timestamp(createdMs + Math.floor(random() * 30) * DAY_MS);
    const title = `${pick(VERBS)} ${pick(THINGS)} ${id}`;
    let description = pick(WORDS);
    for (let words = 5 + Math.floor(random() * 20); words > 0; words -= 1) description += ` ${pick(WORDS)}`;
    const userId = ((id - 1) % users) + 1;
    yield `${id}\t${userId}\t${title}\t${description}\t${pick(taskStatuses)}\t${pick(taskPriorities)}\t${dueAt}\t${timestamp(createdMs)}\t${timestamp(updatedMs)}\n`;
  }
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
