import { randomBytes } from 'node:crypto';
import { TierbenchError } from '../../harness/core/errors.ts';
import { readTier } from '../../harness/files/tier-file.ts';
import type { Deployment } from '../../harness/providers/provider.ts';
import { app } from '../app.ts';
import { makeProvider, resolveProvider } from '../choose-provider.ts';
import { beginRun, untilInterrupted } from '../command-life.ts';
import { describeDeployment } from '../describe-deployment.ts';
import { installFor } from '../install-missing.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { progressDisplay } from '../progress.ts';
import { readRunOptions, type TypedRunOptions } from '../run-options.ts';

/** Keeps a tier up until Ctrl-C, with data in it and addresses to try. */
export async function up(typed: TypedRunOptions, output: Output): Promise<number> {
  const options = readRunOptions({ concurrency: '1', ...typed });
  const [name, ...others] = options.tiers ?? [];
  if (name === undefined || others.length > 0) {
    throw new TierbenchError('OPTIONS_INVALID', `up starts one tier, but --tier is '${typed.tier}'`, 'Name one tier.');
  }
  const tier = await readTier(name);
  using interrupt = untilInterrupted();
  using progress = progressDisplay(output, false);
  const say = (text: string) => progress.show({ kind: 'message', text });
  await using run = await beginRun(say);
  const { name: place, why } = await resolveProvider(options.settings.provider);
  if (why !== undefined) progress.show({ kind: 'note', note: why });
  if (options.installMissing && place === 'local') await installFor([tier], say);
  const provider = await makeProvider(place, options, run);
  progress.show({ kind: 'subject-starting', subject: tier.name, title: tier.title, position: 1, total: 1 });
  try {
    await using deployment = await provider.deploy({ tier, app }, interrupt.signal, (what) =>
      progress.show({ kind: 'provider-progress', subject: tier.name, what }),
    );
    const password = randomBytes(9).toString('base64url');
    progress.show({ kind: 'preparing-data', subject: tier.name, amounts: app.amounts(options.data) });
    await deployment.prepareData?.(options.data, password, interrupt.signal);
    progress[Symbol.dispose]();
    const [user] = app.users(options.data, password);
    if (user !== undefined) output.out(describeDeployment(deployment, app, user));
    const ended = await untilEnd(deployment, interrupt.signal);
    if (ended !== undefined) {
      throw new TierbenchError('SERVICE_ENDED', ended, 'Its last lines are above; start it again with `tierbench up`.');
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  }
  if (interrupt.failure !== undefined) throw interrupt.failure;
  output.err(`${tier.name} is taken down`);
  return exitCodes.met;
}

function untilEnd(deployment: Deployment, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  deployment.onFailure(({ instance, what }) => resolve(`${instance} crashed: ${what}`));
  if (signal.aborted) resolve(undefined);
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}
