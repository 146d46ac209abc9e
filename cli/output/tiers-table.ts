import type { Service, Tier } from '../../harness/core/tier.ts';
import { describeService } from '../../reports/renderers/tier-drawing.ts';
import { indented, styled } from '../../reports/text.ts';

/** What `tierbench tiers` prints: each tier with what it is made of, from where the load comes in downwards. */
export function tiersTable(tiers: readonly Tier[], width: number): string {
  return tiers
    .map((tier) => {
      const nameWidth = Math.max(...tier.services.map(({ name }) => name.length));
      const services = tier.services.flatMap((service) => [
        `  ${service.name.padEnd(nameWidth)}  ${describeService(service, tier.entry)}`,
        ...settingLines(service, width, nameWidth + 4).map((line) => styled('faint', line)),
      ]);
      return [
        styled('strong', `${tier.name}: ${tier.title}`),
        ...indented(tier.description, width, 2),
        ...services,
      ].join('\n');
    })
    .join('\n\n');
}

function settingLines({ settings }: Service, width: number, indent: number): readonly string[] {
  const written = Object.entries(settings).map(([option, value]) => `${option}=${value}`);
  return written.length === 0 ? [] : indented(written.join(' '), width, indent);
}
