import { readTasks } from './browse.ts';
import { taskLife } from './crud.ts';
import { type Behaviour, defineScenario, type Random, type Scenario, type VirtualUser } from './kit.ts';
import { call, logIn, logOut, refresh, type SignedIn, signIn, taskStats } from './task-api.ts';

export const mixParts = ['browse', 'crud', 'login'] as const;
type MixPart = (typeof mixParts)[number];

/** How often each part is picked, relative to the others: 0 or more, at least one above 0. */
export type Mix = Readonly<Record<MixPart, number>>;

/** The one place of these weights. The scaling documents say "read-heavy" and give no figures. */
export const defaultMix: Mix = { browse: 80, crud: 15, login: 5 };

export default mixedScenario(defaultMix);

/**
 * Everyday traffic without think times, so that it can be offered as an arrival rate: each iteration is one part, picked
 * by weight. Throws a RangeError where the weights are no mix.
 */
export function mixedScenario(mix: Mix): Scenario<SignedIn> {
  const picked = mixParts.filter((part) => mix[part] > 0);
  const last = picked.at(-1);
  if (last === undefined || mixParts.some((part) => !(mix[part] >= 0 && Number.isFinite(mix[part])))) {
    throw new RangeError(`${JSON.stringify(mix)} is no mix: weights are 0 or more, at least one of them above 0`);
  }
  const total = picked.reduce((sum, part) => sum + mix[part], 0);
  const shares = picked.map((part) => `${part} ${Math.round((1000 * mix[part]) / total) / 10} %`);

  const pickPart = (random: Random): MixPart => {
    let left = random() * total;
    const found = picked.find((part) => {
      left -= mix[part];
      return left < 0;
    });
    // Sums of fractions may be a last digit apart.
    return found ?? last;
  };

  return defineScenario({
    name: 'mixed',
    description: `Everyday traffic: each iteration is one part of a visit, without pauses: ${shares.join(', ')}.`,
    begin: signIn,
    iteration({ session, ...virtualUser }) {
      return behaviours[pickPart(virtualUser.random)](virtualUser, session);
    },
  });
}

const behaviours: Readonly<Record<MixPart, (virtualUser: VirtualUser, session: SignedIn) => Behaviour>> = {
  /** Only reads, of data that stays: what a cache or a replica may answer. */
  *browse(virtualUser, session) {
    yield* readTasks(virtualUser, session);
    yield* call(virtualUser.user, session, taskStats());
  },
  crud: taskLife,
  /** With a session of its own, which it ends: the user stays logged in for the other parts. */
  *login({ user }) {
    const own = yield* logIn(user);
    if (own.accessToken === '') return;
    yield* refresh(own);
    yield* logOut(own);
  },
};
