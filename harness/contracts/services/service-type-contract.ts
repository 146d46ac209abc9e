import { describe, expect, test } from 'vitest';
import { metrics } from '../../core/metrics.ts';
import type { Service, Tier } from '../../core/tier.ts';
import type { Protocol } from '../../services/address.ts';
import { serviceUrl } from '../../services/address.ts';
import type { Peer, ServiceSpec, ServiceType, SpecContext } from '../../services/service-type.ts';

/** What every kind of service keeps. `example` has every connection that the kind requires. */
export function serviceTypeContract(type: ServiceType, example: Partial<Service> = {}): void {
  const service: Service = {
    name: 'mine',
    kind: type.kind as Service['kind'],
    instances: 1,
    settings: {},
    resources: {},
    connectsTo: {},
    ...example,
  };
  const specAt = (at: SpecContext) => type.spec(service, at);

  describe(`kind ${type.kind}`, () => {
    test('the same context gives the same spec, and another folder, address or secret another one', () => {
      const spec = specAt(context(type, service));
      expect(specAt(context(type, service))).toEqual(spec);
      expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    });

    test('a secret stands in secret files and variables only, and is listed', () => {
      const at = context(type, service);
      const spec = specAt(at);
      const visible = JSON.stringify(withoutSecrets(spec));
      for (const secret of spec.secrets) expect(visible).not.toContain(secret);
      const everything = JSON.stringify(spec);
      for (const secret of usedSecrets(everything)) expect(spec.secrets.join(' ')).toContain(secret);
    });

    test('what it offers is at its main port, and no two ports are the same', () => {
      const ports = type.ports(service);
      if (type.offers(service) !== undefined) expect(ports).toHaveProperty('main');
      expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
      const spec = specAt(context(type, service));
      if (spec.health !== null) expect(Object.keys(ports)).toContain(spec.health.port);
      for (const { port } of type.probes) expect(Object.keys(ports)).toContain(port);
    });

    test('utilization and queues say when it is saturated', () => {
      expect(type.resources).toContain('cpu-cores');
      for (const metric of type.resources) expect(['utilization', 'queue']).toContain(metrics[metric].role);
    });

    test('it listens where it is asked to', () => {
      const text = JSON.stringify(specAt(context(type, service)));
      for (const port of Object.values(contextPorts(type, service))) expect(text).toContain(String(port));
    });

    test('its defaults have the form of its settings, and what tierbench sets is not among them', () => {
      const { defaults, reserved, problem } = type.settings;
      for (const [name, value] of Object.entries(defaults)) {
        expect([name, problem(name, value)]).toEqual([name, undefined]);
        expect(reserved).not.toContain(name);
      }
      expect(new Set(reserved).size).toBe(reserved.length);
    });

    test('its files are in its folder, each path once', () => {
      const { files } = specAt(context(type, service));
      for (const { path } of files) expect(path).toMatch(/^\/config\/[\w.-]+$/u);
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    });
  });
}

const SECRET = /secret-[a-z-]+-0123456789/gu;

function usedSecrets(text: string): readonly string[] {
  return text.match(SECRET) ?? [];
}

function withoutSecrets({ files, secretEnvironment: _, secrets: __, steps, ...visible }: ServiceSpec): object {
  return {
    ...visible,
    steps: steps.map(({ secretEnvironment: ___, ...step }) => step),
    files: files.map(({ content, ...file }) => (file.secret ? file : { ...file, content })),
  };
}

/** Ports that no text holds by chance. */
function contextPorts(type: ServiceType, service: Service): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(type.ports(service)).map((name, index) => [name, 41_237 + index]));
}

function context(type: ServiceType, service: Service): SpecContext {
  const credentials = { user: 'someone', password: 'secret-database-0123456789', database: 'things' };
  const secret = (name: string) => `secret-${name}-0123456789`;
  const roles = type.roles(service);
  const ports = contextPorts(type, service);
  const peer = (role: string): Peer | undefined => {
    const name = service.connectsTo[role];
    const found = roles[role];
    if (name === undefined || found === undefined) return undefined;
    const protocol: Protocol = found.protocol === 'any' ? 'http' : found.protocol;
    const addresses = [
      { host: `${name}-1`, port: 7001 },
      { host: `${name}-2`, port: 7001 },
    ];
    const end = {
      service: { ...service, name, kind: 'primary' as const, settings: {}, connectsTo: {} },
      addresses,
      url: serviceUrl(protocol, { host: `${name}-1`, port: 7001 }, { credentials, secret }),
    };
    return { ...end, lacks: [], end };
  };
  const tier: Tier = {
    name: 'example',
    title: 'Example',
    description: 'Of the contract.',
    documents: [],
    entry: service.name,
    services: [service],
  };
  return {
    tier,
    instance: 1,
    folder: '/config',
    temporaryFolder: '/temporary',
    dataFolder: '/data',
    host: '10.9.8.7',
    port: (name) => ports[name] ?? 0,
    peer,
    credentials,
    secret,
  };
}
