import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { CapabilityCheck, Finding } from '../core/machine.ts';
import { packageFolder } from './package-folder.ts';

/** Hashes once: the native module may be there and still not load. */
export async function passwordHash(): Promise<Finding> {
  try {
    const fromApp = createRequire(join(packageFolder(), 'reference-app', 'package.json'));
    const { hash }: { hash: (password: string, cost: number) => Promise<string> } = fromApp('@node-rs/bcrypt');
    const hashed = await hash('tierbench', 4);
    return hashed.startsWith('$2')
      ? { state: 'ready', detail: '@node-rs/bcrypt' }
      : { state: 'missing', detail: 'the native module gives no bcrypt hash' };
  } catch (error) {
    const detail = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    return { state: 'missing', detail, install: 'npm install' };
  }
}

/** `load` is what reports load to draw their pictures (reports/charts/png.ts). */
export function chartDrawingCheck(
  load: () => Promise<
    { readonly kind: 'drawn'; readonly note: string | null } | { readonly kind: 'unavailable'; readonly why: string }
  >,
): CapabilityCheck {
  return {
    name: 'chart drawing',
    neededFor: 'PNG charts in reports',
    async find() {
      const pictures = await load();
      if (pictures.kind === 'unavailable') {
        return { state: 'missing', detail: pictures.why, install: 'npm install --include=optional' };
      }
      if (pictures.note !== null) return { state: 'limited', detail: pictures.note };
      return { state: 'ready', detail: 'chartjs-node-canvas' };
    },
  };
}
