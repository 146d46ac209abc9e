import { suggestion } from '../core/closest-match.ts';
import { settingProblem } from '../services/setting-problem.ts';
import { group, type Mistake } from './mistake.ts';
import { connectionMistakes } from './tier-connection-mistakes.ts';
import { limitMistakes } from './tier-limit-mistakes.ts';
import { type Outline, outline } from './tier-outline.ts';

/** Far more than any tier has; what is checked below grows faster than their number. */
const MOST_SERVICES = 100;

/** Works on a file that may be wrong in other ways too, so that all problems are told at once. */
export function tierMistakes(value: unknown): readonly Mistake[] {
  const file = group(value);
  const services = Object.entries(group(file.services)).map(outline);
  if (services.length === 0) {
    return 'services' in file ? [{ at: ['services'], what: 'services is empty', nextStep: 'Add a service.' }] : [];
  }
  if (services.length > MOST_SERVICES) {
    const what = `services has ${services.length} services, more than ${MOST_SERVICES}`;
    return [{ at: ['services'], what, nextStep: 'Use instances for copies of a service.' }];
  }
  return [
    ...entryMistakes(file.entry, services),
    ...connectionMistakes(services),
    ...countMistakes(services),
    ...services.flatMap(settingMistakes),
    ...limitMistakes(services),
  ];
}

function entryMistakes(entry: unknown, services: readonly Outline[]): Mistake[] {
  if (typeof entry !== 'string') return [];
  const at = ['entry'];
  const service = services.find(({ name }) => name === entry);
  if (service === undefined) {
    const names = services.map(({ name }) => name);
    return [{ at, what: `entry is '${entry}', but there is no such service`, nextStep: suggestion(entry, names) }];
  }
  if (service.kind === undefined || service.kind === 'load-balancer') return [];
  if (service.kind !== 'api') {
    const what = `entry is '${entry}', a ${service.kind}, which does not speak HTTP`;
    return [{ at, what, nextStep: 'Name a service of kind api or load-balancer.' }];
  }
  // The load goes to one address: the other instances would idle and the tier would be measured too slow.
  return service.instances <= 1
    ? []
    : [
        {
          at: ['services', entry, 'instances'],
          what: `the entry '${entry}' has ${service.instances} instances, but the load goes to one address`,
          nextStep: 'Add a service of kind load-balancer whose backend it is, and make that the entry.',
        },
      ];
}

/** Only a load balancer knows several addresses of what it connects to, and its backends are instances of the API. */
const onlyOnce = {
  'load-balancer': { why: 'the load goes to one address', nextStep: 'Write 1.' },
  pooler: {
    why: 'the API knows one address of it, so that the others would idle',
    nextStep: 'Write 1; an API that outgrows it needs a pooler of its own.',
  },
  primary: { why: 'only one database can take the writes', nextStep: 'Write 1 and add a service of kind replica.' },
  replica: {
    why: 'the API has one reader, and asks that one how far it has come',
    nextStep: 'Write 1; a further service of kind replica can stream beside it, as a standby.',
  },
  cache: {
    why: 'they would not know what the others hold: a revoked token would be accepted',
    nextStep: 'Write 1.',
  },
} as const;

function countMistakes(services: readonly Outline[]): Mistake[] {
  const tooMany = services.flatMap(({ name, kind, instances }): Mistake[] => {
    if (kind === undefined || kind === 'api' || instances <= 1) return [];
    const { why, nextStep } = onlyOnce[kind];
    const what = `${name} is a ${kind} with ${instances} instances, but ${why}`;
    return [{ at: ['services', name, 'instances'], what, nextStep }];
  });
  const [first, ...others] = services.filter(({ kind }) => kind === 'primary');
  const furtherPrimaries = others.map(
    ({ name }): Mistake => ({
      at: ['services', name, 'kind'],
      what: `${name} is a second primary beside ${first?.name}, but a tier has one database`,
      nextStep: 'Make it a replica, or remove it.',
    }),
  );
  return [...tooMany, ...furtherPrimaries];
}

function settingMistakes({ name, kind, settings }: Outline): Mistake[] {
  return settings.flatMap(([setting, value]): Mistake[] => {
    const at = ['services', name, 'settings', setting];
    if (isSecret(setting, value)) {
      return [
        {
          at,
          part: 'key',
          what: `the setting ${setting} of ${name} holds a secret`,
          nextStep: 'Remove it: secrets and addresses are made for each run.',
        },
      ];
    }
    const problem = kind && settingProblem(kind, setting, value);
    return problem ? [{ at, ...problem, what: `the setting ${setting} of ${name} ${problem.what}` }] : [];
  });
}

/** Passwords and keys are made anew for each run; in a tier file they would end in version control and in results. */
function isSecret(setting: string, value: unknown): boolean {
  return (
    /(?:secret|password|passwd|passphrase|(?<!by)pass|api_?key|private_?key|credentials?|_token)$/iu.test(setting) ||
    // A URL with credentials, whatever its setting is called.
    (typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/iu.test(value))
  );
}
