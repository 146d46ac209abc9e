import type { Note } from '../harness/core/findings.ts';
import type { RegisteredRun } from '../harness/orphans/register.ts';
import type { Provider } from '../harness/providers/provider.ts';
import { app } from './app.ts';
import type { ProviderName, RunOptions } from './run-options.ts';

/** What `auto` comes to on this machine, and why; the others are what they are. */
export async function resolveProvider(
  asked: ProviderName,
): Promise<{ readonly name: Exclude<ProviderName, 'auto'>; readonly why?: Note }> {
  if (asked !== 'auto') return { name: asked };
  const { containersCanRun } = await import('../harness/providers/containers/obstacles.ts');
  const [obstacle = null] = await containersCanRun(app);
  const name = obstacle === null ? 'containers' : 'local';
  return { name, why: { code: 'provider-chosen', provider: name, obstacle } };
}

/** `systemCpus`: what the services are kept to; undefined where they share all CPUs with the generator. */
export async function makeProvider(
  name: Exclude<ProviderName, 'auto'>,
  {
    url = '',
    urls,
    allowRemote,
    authoritiesFile,
    insecure,
  }: Pick<RunOptions, 'url' | 'urls' | 'allowRemote' | 'authoritiesFile' | 'insecure'>,
  run: RegisteredRun,
  systemCpus?: readonly number[],
): Promise<Provider> {
  const options = { run, ...(systemCpus !== undefined && { systemCpus }) };
  switch (name) {
    case 'local':
      return (await import('../harness/providers/local/local-provider.ts')).localProvider(options);
    case 'containers':
      return (await import('../harness/providers/containers/containers-provider.ts')).containersProvider(options);
    case 'url': {
      const { urlProvider, urlProviders } = await import('../harness/providers/url.ts');
      const how = { allowRemoteHost: allowRemote, authoritiesFile, insecure };
      return urls === undefined ? urlProvider(url, how) : urlProviders(urls, how);
    }
  }
}
