/**
 * What a scenario is made of. Pure TypeScript that runs unchanged in Node and inside k6: it imports nothing.
 *
 * A scenario is a synchronous generator of actions. It yields requests and think times; the engine performs them and
 * hands back the answers. So the same file is the same traffic on every engine.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Its `content-type` follows from its kind, unless `type` or a header says another. */
export type Body =
  | { readonly json: Json }
  | { readonly form: Readonly<Record<string, string | readonly string[]>> }
  | { readonly text: string; readonly type?: string }
  | { readonly bytes: Uint8Array; readonly type?: string };

export interface Request {
  /** The step this request belongs to; results are kept by step name. */
  readonly name: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** From the base URL on, with its query: `/api/tasks?page=1`. */
  readonly path: string;
  /** The name of another base URL than the main one. */
  readonly base?: string;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as one `cookie` header. Engines keep no cookies of their own. */
  readonly cookies?: Readonly<Record<string, string>>;
  /** The statuses that are right; any 2xx when left out. Another one counts as `http-error`. */
  readonly expectStatus?: number | readonly number[];
  /** Is the content of an answer with the right status right? `false` or a throw counts as `wrong-answer`. */
  readonly check?: (response: Response) => boolean;
}

export interface Response {
  /** 0 when no answer came. */
  readonly status: number;
  /** The status was expected and the content is right. */
  readonly ok: boolean;
  /** Names in lower case. */
  header(name: string): string | undefined;
  /** Set by this answer: name -> value. */
  readonly cookies: Readonly<Record<string, string>>;
  /** The body parsed as JSON (parsed once, when first asked for); undefined when it is not JSON. */
  json(): unknown;
  text(): string;
}

export type Action =
  | { readonly kind: 'send'; readonly request: Request }
  | { readonly kind: 'think'; readonly durationS: number };

export type Behaviour<Result = void> = Generator<Action, Result, Response | undefined>;

/**
 * An index from 0, and whatever fields the app or the users file gives it: `user.email`. No two virtual users share one
 * at a time.
 */
export type User = { readonly index: number } & Readonly<Record<string, Json>>;

/** Numbers in [0, 1). */
export type Random = () => number;

export interface VirtualUser {
  readonly user: User;
  readonly random: Random;
}

export interface Scenario<Session = unknown> {
  readonly name: string;
  readonly description: string;
  /** Whether it has think times: such a load follows from the number of users and not from how fast the system answers. */
  readonly hasThinkTime?: boolean;
  /** Once for each virtual user, before its first iteration: log in, say. What it returns is the session. */
  begin?(virtualUser: VirtualUser): Behaviour<Session>;
  iteration(virtualUser: VirtualUser & { readonly session: Session }): Behaviour;
}

export function defineScenario<Session = undefined>(scenario: Scenario<Session>): Scenario<Session> {
  return scenario;
}

/** Sends one request and gives its answer: `const answer = yield* send({ ... })`. */
export function* send(request: Request): Behaviour<Response> {
  const response = yield { kind: 'send', request };
  if (response === undefined) throw new Error(`the engine resumed '${request.name}' without a response`);
  return response;
}

/** Pauses as a person would: `yield* think(1 + random())`. */
export function* think(durationS: number): Behaviour {
  yield { kind: 'think', durationS };
}

/**
 * What stands at a place of some JSON, or undefined: `valueAt(answer.json(), 'tasks', 0, 'title')`.
 * The answer of a server is never certain, so nothing here throws.
 */
export function valueAt(json: unknown, ...place: readonly (string | number)[]): unknown {
  let value = json;
  for (const key of place) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** A uniform choice among `items`. */
export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** A whole number in [from, to], both ends included. */
export function integerBetween(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/**
 * The random stream of one iteration: the same for the same seed, virtual user and iteration, on every engine and
 * whatever else runs. Iteration -1 is `begin`.
 * splitmix32 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014, narrowed to 32 bits).
 */
export function randomStream(seed: number, virtualUser: number, iteration: number): Random {
  // Many iterations draw no number, and in k6 this takes longer than all else that begins one.
  let state: number | undefined;
  return () => {
    state ??= mix(mix(mix(seed >>> 0) ^ (virtualUser >>> 0)) ^ (iteration >>> 0));
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 4294967296;
  };
}

function mix(value: number): number {
  let mixed = (value + 0x9e3779b9) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97) >>> 0;
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
