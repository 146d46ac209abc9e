import { engineAddress, engineFacts } from '../../container-engine/engine.ts';
import { isImageHere } from '../../container-engine/images.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { CapabilityCheck, Finding } from '../../core/machine.ts';
import { K6_IMAGE, k6OnThePath } from './find-k6.ts';

/** For doctor: what `findK6` would come to. Nothing is downloaded and no container started. */
export const k6Check: CapabilityCheck = { name: 'k6', neededFor: 'the k6 engine', find };

async function find(): Promise<Finding> {
  try {
    const program = await k6OnThePath();
    if (program !== undefined) return { state: 'ready', detail: `${program.version}, ${program.origin}` };
  } catch (error) {
    // One of a version that is not known.
    if (error instanceof TierbenchError) return { state: 'missing', detail: `${error.message}. ${error.nextStep}` };
    throw error;
  }
  const engine = engineAddress();
  if (engine === undefined || 'obstacle' in (await engineFacts())) {
    return { state: 'missing', detail: 'not on the PATH; see https://grafana.com/docs/k6/latest/set-up/install-k6/' };
  }
  return (await isImageHere(engine, K6_IMAGE))
    ? { state: 'ready', detail: `the image ${K6_IMAGE}: no k6 is on the PATH` }
    : {
        state: 'limited',
        detail: `not on the PATH; the image ${K6_IMAGE} is pulled when it is needed. To have it now: \`docker pull ${K6_IMAGE}\`, or install it as https://grafana.com/docs/k6/latest/set-up/install-k6/ says`,
      };
}
