import { describe, expect, it } from 'vitest';
import { isListening } from '../../../test-support/left-behind.ts';
import type { RunningInstance } from '../../core/deployment.ts';
import type { AppInTier, Deployment, Provider } from '../../providers/provider.ts';

/** A provider in the context it needs, made anew for each test. */
export interface ProviderUnderTest extends AppInTier, AsyncDisposable {
  readonly provider: Provider;
  /**
   * What the provider made in these context and has not removed, each named for a person: processes, files, control
   * groups, containers, networks, volumes. Empty is right.
   */
  leftBehind(): Promise<readonly string[]>;
}

/** What every provider must do, with any tier. */
export function describeProvider(
  name: string,
  /** A path of the API that answers 200. */
  readyPath: string,
  setUp: () => Promise<ProviderUnderTest>,
): void {
  describe(`provider ${name}`, () => {
    it('reports that a tier can run here, starts it, describes it correctly, and leaves nothing when it is disposed of, even twice', async () => {
      await using context = await setUp();
      const { provider, tier } = context;
      expect(await provider.obstacles(context)).toEqual([]);
      await using deployment = await provider.deploy(context, new AbortController().signal);
      expect(deployment.provider).toBe(provider.name);
      expect(deployment.tier).toBe(tier);
      const response = await fetch(`${deployment.baseUrl}${readyPath}`);
      await response.text();
      expect(response.status).toBe(200);
      const instances = instancesOf(deployment);
      expect(instances.length).toBeGreaterThan(0);
      for (const instance of instances) expect(await isListening(instance), instance.name).toBe(true);
      const failures: unknown[] = [];
      deployment.onFailure((failure) => failures.push(failure));
      await Promise.all([deployment[Symbol.asyncDispose](), deployment[Symbol.asyncDispose]()]);
      await deployment[Symbol.asyncDispose]();
      expect(failures, 'what was asked to end is no failure').toEqual([]);
      await expect.poll(() => context.leftBehind()).toEqual([]);
    });

    it('leaves nothing behind when it is aborted at any step of the start', { timeout: 180_000 }, async () => {
      await using context = await setUp();
      const { provider } = context;
      const steps: string[] = [];
      await (await provider.deploy(context, new AbortController().signal, (step) => steps.push(step)))[
        Symbol.asyncDispose
      ]();
      // At the start of every other step, and somewhat into the others.
      for (const [index, abortAt] of steps.entries()) {
        const controller = new AbortController();
        const reason = new Error(`aborted at: ${abortAt}`);
        const deployed = provider.deploy(context, controller.signal, (step) => {
          if (step !== abortAt) return;
          if (index % 2 === 0) controller.abort(reason);
          else setTimeout(() => controller.abort(reason), 60);
        });
        await deployed.then(
          // It may have come up before the delay was over.
          (deployment) => deployment[Symbol.asyncDispose](),
          (error) => expect(error).toBe(reason),
        );
        await expect.poll(() => context.leftBehind(), { message: `after abort at: ${abortAt}` }).toEqual([]);
      }
    });

    it('does not start when it is aborted before', async () => {
      await using context = await setUp();
      const reason = new Error('too late');
      await expect(context.provider.deploy(context, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(await context.leftBehind()).toEqual([]);
    });
  });
}

export function instancesOf(deployment: Deployment): RunningInstance[] {
  return deployment.services.flatMap((service) => service.instances);
}
