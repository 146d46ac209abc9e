import type { TrialPlan } from '../../core/trial.ts';
import { Connection, endpointOf } from '../../http-client/connection.ts';
import { createRequestEncoder } from '../../http-client/encode-request.ts';
import { checkBaseUrl } from '../shared/check-request.ts';
import type { Transport } from '../shared/transport.ts';

const READ_BUFFER_BYTES = 64 * 1024;

/** Our own HTTP client. Throws INVALID_BASE_URL. */
export function socketTransport({ baseUrl, load, timeoutS }: TrialPlan): Transport {
  const url = checkBaseUrl(baseUrl);
  const encode = createRequestEncoder(url);
  const settings = {
    endpoint: endpointOf(url),
    timeoutS,
    pausesAfterFailures: load.model === 'closed',
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  };
  return {
    connect({ onResponse }) {
      const connection = new Connection(settings, onResponse);
      return {
        send: (request, nowMs, deadlineMs) => connection.send(encode(request), request.method, nowMs, deadlineMs),
        close: () => connection.close(),
      };
    },
  };
}
