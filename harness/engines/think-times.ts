import { TierbenchError } from '../core/errors.ts';

/** Why an engine that cannot pause refuses a scenario that thinks: without its pauses it is another load. */
export function cannotThink(engine: string, scenario: string): TierbenchError {
  return new TierbenchError(
    'ENGINE_CANNOT_THINK',
    `scenario '${scenario}' thinks between its requests, and ${engine} cannot wait`,
    'Choose an engine that can (--engine open-loop), or leave think times out: --skip-think-times.',
  );
}
