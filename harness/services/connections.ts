import type { Described, ServiceType } from './service-type.ts';

/** Connections that may be open at once to one service: the terms, and what it takes at most. */
export interface ConnectionSum {
  readonly terms: readonly ConnectionTerm[];
  readonly total: number;
  readonly limit: number;
  /** The setting that says the limit. */
  readonly setting: string;
  readonly nextStep: string;
}

interface ConnectionTerm {
  readonly connections: number;
  /** The calculation and whose connections they are: `2 x (10 + 1) api`. */
  readonly text: string;
}

/** The probe that reads the statistics of a server while it is loaded. */
const PROBES = 1;

/**
 * What may be connected to a service at once: every pool that leads to it when it is full, what it keeps for
 * administrators, and the probe. Undefined for one that limits no connections, and where a setting that matters is no
 * whole number.
 */
export function connectionSum(
  service: Described,
  services: readonly Described[],
  typeOf: (kind: string) => ServiceType | undefined,
): ConnectionSum | undefined {
  const accepted = typeOf(service.kind)?.connections?.accepts?.(service);
  if (accepted === undefined) return undefined;
  const { limit, reserved, setting, nextStep } = accepted;
  const terms: ConnectionTerm[] = [];
  for (const client of services) {
    const roles = Object.keys(client.connectsTo).filter((role) => client.connectsTo[role] === service.name);
    const opens = typeOf(client.kind)?.connections?.opens;
    if (roles.length === 0 || opens === undefined) continue;
    const opened = opens(client, roles);
    if (opened === undefined) return undefined;
    const { copies, each } = opened;
    const [first] = each;
    const times = copies === 1 ? '' : `${copies} x `;
    terms.push({
      connections: copies * each.reduce((total, count) => total + count, 0),
      text: `${times}${each.length === 1 ? first : `(${each.join(' + ')})`} ${client.name}`,
    });
  }
  if (reserved > 0) terms.push({ connections: reserved, text: `${reserved} reserved` });
  terms.push({ connections: PROBES, text: `${PROBES} probe` });
  return { terms, total: terms.reduce((total, { connections }) => total + connections, 0), limit, setting, nextStep };
}

/** `2 x (16 + 4) pooler + 3 reserved + 1 probe = 44` */
export function connectionSumText({ terms, total }: ConnectionSum): string {
  return `${terms.map(({ text }) => text).join(' + ')} = ${total}`;
}
