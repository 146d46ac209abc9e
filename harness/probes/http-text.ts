import { once } from 'node:events';
import { type Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** The text at `url`. Rejects when the answer is not 200 or takes longer than `timeoutS`; `name` is what the error calls it. */
export async function fetchText(name: string, url: string, agent: Agent, timeoutS: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutS * 1000);
  try {
    const request = get(url, { agent, signal });
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (response === undefined) throw new Error('no answer');
    const body = await text(response);
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
    return body;
  } catch (cause) {
    const what = signal.aborted ? `did not answer within ${timeoutS} s` : (cause as Error).message;
    throw new Error(`${name}: ${what}`, { cause });
  }
}
