import type { App, AppStep } from '../core/app.ts';
import type { Described, OnceStep, ServiceProblem, ServiceType, SpecContext } from './service-type.ts';

/** An app whose sources are here, as a kind of service. */
export function appType(kind: string, app: App): ServiceType {
  const { roles, settings } = app;
  /** Over the database that holds the data, without the pooler before it. */
  const overDatabase = (at: SpecContext, make: (databaseUrl: string) => AppStep): readonly OnceStep[] => {
    const database = at.peer(app.dataRole)?.end;
    if (database === undefined) return [];
    const { script, arguments: options, ...step } = make(database.url);
    const command = { program: { from: 'node' as const, folder: app.folder, name: script }, arguments: options };
    return [{ ...step, command, services: [database.service.name] }];
  };
  return {
    kind,
    roles: () => roles,
    offers: () => 'http',
    settings: {
      reserved: [...settings.reserved, ...Object.values(roles).map(({ variable }) => variable)],
      defaults: settings.defaults,
      problem: settings.problem,
      inUnit: settings.inUnit,
    },
    ports: () => ({ main: app.port }),
    portSetting: settings.port,
    connections: {
      opens({ instances, settings: set }, over) {
        const opened = app.connections(set);
        return opened && { ...opened, copies: opened.copies * instances * over.length };
      },
    },
    problems: (service, services, typeOf) => lostOnTheWay(app, service, services, typeOf),
    spec(service, at) {
      const peers = Object.entries(roles).flatMap(([role, { variable }]) => {
        const peer = at.peer(role);
        return peer === undefined ? [] : [{ variable, peer }];
      });
      const unprepared = peers.some(({ peer }) => peer.lacks.includes('prepared-statements'));
      const secrets: Readonly<Record<string, string>> = Object.fromEntries([
        ...peers.map(({ variable, peer }) => [variable, peer.url]),
        ...app.secrets.map((name) => [name, at.secret(name)]),
      ]);
      const { [settings.port]: _, ...set } = service.settings;
      return {
        image: { name: app.image, ...(app.isBuilt !== true && { folder: app.folder }) },
        command: { program: { from: 'node', folder: app.folder, name: app.script }, arguments: [] },
        environment: {
          NODE_ENV: 'production',
          ...Object.fromEntries(Object.entries(set).map(([name, value]) => [name, String(value)])),
          ...(unprepared && app.withoutPreparedStatements),
          ...app.listen(at.host, at.port('main')),
        },
        secretEnvironment: secrets,
        files: [],
        prepare: [],
        steps: overDatabase(at, app.migrate),
        health: { protocol: 'http', port: 'main', path: app.readyPath },
        // Nothing is waiting for its answers any more. In order, it answers what it was asked.
        stop: { signal: 'SIGKILL', graceS: 0, orderlyS: 15 },
        secrets: [...Object.values(secrets), at.credentials.password],
        lacks: [],
        notes: [],
      };
    },
    data: ({ settings: set }, at, values, password) =>
      overDatabase(at, (databaseUrl) => app.seed(databaseUrl, values, password, set)),
    probes: [{ probe: 'app-metrics', port: 'main', protocol: 'http', path: app.metricsPath }],
    resources: [
      'cpu-cores',
      'main-thread',
      'throttled',
      'event-loop-lag-p99',
      'pool-in-use',
      'pool-waiting',
      'password-hashes-waiting',
      'open-files',
    ],
    shownSettings: settings.shown,
    inspect: (url) => `curl -s ${url}`,
  };
}

/** Settings of database sessions that a service on the way, such as a pooler, does not pass on. */
function lostOnTheWay(
  { settings: { session } }: App,
  service: Described,
  services: readonly Described[],
  typeOf: (kind: string) => ServiceType | undefined,
): ServiceProblem[] {
  for (const { name, kind } of services) {
    const instead = Object.values(service.connectsTo).includes(name) ? typeOf(kind)?.keepsFromSessions : undefined;
    if (instead === undefined) continue;
    return Object.entries(session).flatMap(([setting, parameter]): ServiceProblem[] => {
      const value = service.settings[setting];
      const other = instead[parameter];
      if (other === undefined || value === undefined || Number(value) === 0) return [];
      return [
        {
          at: ['settings', setting],
          part: 'key',
          what: `${setting} of ${service.name} has no effect: the ${kind} ${name} does not pass it on`,
          nextStep: `Remove it, and set ${other} of ${name} instead.`,
        },
      ];
    });
  }
  return [];
}
