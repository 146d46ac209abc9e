import type { Remedy } from '../harness/core/findings.ts';
import { dataOptions, usersOption } from './app.ts';

/** The option that does what a remedy says; null where none does. Nothing outside the command line knows options. */
const options: Readonly<Record<Remedy, string | null>> = {
  'measure-longer': '--duration',
  'warm-up-longer': '--warm-up',
  'lower-timeout': '--timeout',
  'lower-load': '--rate or --concurrency',
  'higher-concurrency': '--concurrency',
  'higher-rates': '--rate',
  'name-rates': '--rate',
  'name-scenario': '--scenario',
  'more-virtual-users': usersOption?.option ?? null,
  'more-data': dataOptions.map(({ option }) => option).join(' or '),
  'faster-engine': '--engine',
  'more-generator-cpu': null,
  'quiet-machine': null,
  'more-ports': null,
  'more-open-files': null,
  'run-to-end': null,
  'fix-failures': null,
  'other-folder': '--out',
  'other-provider': '--provider',
  'allow-remote': '--allow-remote',
  'trust-certificate': '--cacert FILE or --insecure',
  'other-engine': '--engine',
  'constant-arrivals': '--arrivals constant',
  'skip-think-times': '--skip-think-times',
  'other-fault': '--fault',
  'name-k6': '--k6',
};

/** `Choose another folder (--out).` */
export function withOption(step: string, remedy: Remedy | undefined): string {
  const option = remedy === undefined ? null : options[remedy];
  return option === null ? step : `${step.replace(/\.$/u, '')} (${option}).`;
}
