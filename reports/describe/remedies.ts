import type { Reason, Remedy, WhyNot } from '../../harness/core/findings.ts';

/** What a person can do about a finding. Empty where the finding names it, or where nothing helps. */
function remediesOf(finding: Reason | WhyNot): readonly Remedy[] {
  if (finding.code === 'invalid' || finding.code === 'invalid-trials') return remediesOf(finding.reason);
  if (finding.code === 'latency-drift' && finding.secondHalfMeanS > finding.firstHalfMeanS) {
    return ['lower-load', 'measure-longer'];
  }
  if (finding.code === 'generator-out-of-resources') {
    return [finding.resource === 'ports' ? 'more-ports' : 'more-open-files', 'lower-load'];
  }
  if (finding.code === 'disturbed') {
    return finding.caveat.code === 'machine-shared' ? ['quiet-machine'] : ['lower-load', 'more-generator-cpu'];
  }
  if (finding.code === 'no-load-as-high') return [finding.model === 'closed' ? 'higher-concurrency' : 'higher-rates'];
  return remedies[finding.code];
}

const remedies = {
  stopped: ['run-to-end'],
  'service-crashed': [],
  'never-answered': ['measure-longer', 'lower-timeout'],
  'too-few-seconds': ['measure-longer'],
  'too-few-requests': ['measure-longer'],
  'cpu-stolen': ['quiet-machine'],
  'foreign-cpu': ['quiet-machine'],
  'generator-busy': ['lower-load', 'faster-engine', 'more-generator-cpu'],
  'not-offered': ['lower-load', 'more-virtual-users'],
  'near-generator-limit': ['lower-load', 'faster-engine', 'more-generator-cpu'],
  'throughput-drift': ['warm-up-longer'],
  'throughput-settled-late': ['warm-up-longer'],
  'latency-drift': ['warm-up-longer'],
  'tier-not-run': [],
  'tier-ended-early': [],
  'not-measured': ['run-to-end'],
  'not-planned': [],
  'planned-load-not-measured': ['run-to-end'],
  'no-trial-of-scenario': ['run-to-end'],
  'too-many-failed': ['fix-failures'],
  'too-few-answers': ['measure-longer'],
  'not-yet': [],
  'model-only': [],
  'other-scenarios': ['name-scenario'],
  'other-steps': [],
  'offers-less': [],
  'data-unknown': [],
  'no-such-service': [],
  'setting-open': [],
  'switched-off': [],
  'follows-other': [],
  'too-few-for-percentile': ['measure-longer'],
  'latency-straddles': ['measure-longer'],
  'too-few-responses': ['measure-longer'],
  'bytes-straddle': ['measure-longer'],
  'latency-with-failures': ['fix-failures'],
  'failures-may-be-chance': ['measure-longer'],
  'error-ratio-straddles': ['measure-longer'],
  'users-not-answered': ['measure-longer'],
  'throughput-straddles': ['measure-longer'],
  'throughput-still-rising': ['higher-concurrency'],
  'one-load-only': ['higher-concurrency'],
  'limit-not-reached': ['higher-rates'],
  'too-little-data': ['more-data'],
} as const satisfies Readonly<
  Record<
    Exclude<
      (Reason | WhyNot)['code'],
      'invalid' | 'invalid-trials' | 'generator-out-of-resources' | 'no-load-as-high' | 'disturbed'
    >,
    readonly Remedy[]
  >
>;

const words: Readonly<Partial<Record<Remedy, string>>> = {
  'measure-longer': 'measure longer',
  'warm-up-longer': 'warm up longer',
  'lower-timeout': 'lower the timeout',
  'lower-load': 'offer less load',
  'higher-concurrency': 'measure a higher concurrency',
  'higher-rates': 'measure higher arrival rates',
  'name-rates': 'name the arrival rates',
  'name-scenario': 'run that scenario',
  'more-virtual-users': 'allow more virtual users',
  'more-data': 'have more data in the database',
  'faster-engine': 'use a faster engine',
  'more-generator-cpu': 'give the generator more CPU',
  'quiet-machine': 'use a machine that nothing else uses',
  'more-ports':
    'widen the range of local ports (sysctl net.ipv4.ip_local_port_range) or let the server keep connections open',
  'more-open-files': 'raise the limit of open files (ulimit -n)',
  'run-to-end': 'run it again to the end',
  'fix-failures': 'fix the failures first',
};

/** `measure longer, or lower the timeout`; empty where there is nothing to say. */
function adviceFor(finding: Reason | WhyNot): string {
  const steps = remediesOf(finding).flatMap((remedy) => words[remedy] ?? []);
  return steps.length < 2 ? steps.join('') : `${steps.slice(0, -1).join(', ')}, or ${steps.at(-1)}`;
}

/** `only 3 whole seconds were measured, and intervals need 5; measure longer` */
export function withAdvice<Finding extends Reason | WhyNot>(
  describe: (finding: Finding) => string,
  finding: Finding,
): string {
  const advice = adviceFor(finding);
  return advice === '' ? describe(finding) : `${describe(finding)}; ${advice}`;
}
