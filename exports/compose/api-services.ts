import type { Service, Tier } from '../../harness/core/tier.ts';
import { postgresUrl } from '../../harness/services/address.ts';
import { apiEnvironment } from '../../harness/services/api.ts';
import { images } from '../../harness/services/images.ts';
import {
  after,
  type ComposeParts,
  type ComposeService,
  common,
  composeName,
  composeNames,
  connected,
  credentials,
  httpHealthCheck,
  ports,
  published,
  SEED_PROFILE,
} from './parts.ts';
import { fromEnvironment, interpolated, interpolatedValues, secretPlaceholders } from './secrets.ts';

export function apiParts(tier: Tier, service: Service, port: number): ComposeParts {
  const servers = Object.values(service.connectsTo).flatMap((name) =>
    tier.services.filter((each) => each.name === name),
  );
  const instance: ComposeService = {
    ...fromImage,
    ...common(tier, service),
    environment: environment(tier, service),
    depends_on: {
      ...after('started', ...servers.map((server) => composeName(tier, server))),
      ...after('completed_successfully', migrateName(tier)),
    },
    ...published(tier, service, port),
    ...httpHealthCheck(ports.api, '/ready'),
    stop_grace_period: '15s',
  };
  return {
    services: Object.fromEntries(composeNames(tier, service).map((name) => [name, instance])),
    volumes: {},
    configs: {},
  };
}

/** What runs once: one service brings the schema up to date, the other fills the database when it is asked to. */
export function oneShotParts(tier: Tier): ComposeParts {
  const primary = tier.services.find(({ kind }) => kind === 'primary');
  const api = tier.services.find(({ kind }) => kind === 'api');
  const database = primary === undefined ? '' : composeName(tier, primary);
  const databaseUrl = interpolated(postgresUrl({ host: database, port: ports.primary }, credentials));
  return {
    services: {
      [migrateName(tier)]: {
        // The one place that builds the image: the other services use what is there.
        image: images.api,
        build: './reference-app',
        ...common(tier, { resources: {} }),
        command: ['node', 'migrate.ts'],
        environment: { DATABASE_URL: databaseUrl },
        depends_on: after('healthy', database),
      },
      [`${tier.name}-seed`]: {
        ...fromImage,
        ...common(tier, { resources: {} }),
        profiles: [SEED_PROFILE],
        command: seedCommand,
        environment: {
          DATABASE_URL: databaseUrl,
          SEED_PASSWORD: fromEnvironment('SEED_PASSWORD', ''),
          BCRYPT_COST: String(api?.settings.BCRYPT_COST ?? 10),
        },
        depends_on: after('completed_successfully', migrateName(tier)),
      },
    },
    volumes: {},
    configs: {},
  };
}

function migrateName({ name }: Tier): string {
  return `${name}-migrate`;
}

const fromImage = { image: images.api, pull_policy: 'never' };

const seedCommand = [
  ...['node', 'seed.ts'],
  ...['--users', fromEnvironment('SEED_USERS', '1000')],
  ...['--tasks-per-user', fromEnvironment('SEED_TASKS_PER_USER', '1000')],
];

function environment(tier: Tier, service: Service): Readonly<Record<string, string>> {
  const url = (role: string): string | undefined => {
    const server = connected(tier, service, role);
    return (
      server &&
      postgresUrl({ host: composeName(tier, server), port: ports[server.kind as keyof typeof ports] }, credentials)
    );
  };
  const cache = connected(tier, service, 'cache');
  const readerUrl = url('reader');
  const poolers = ['writer', 'reader']
    .map((role) => connected(tier, service, role))
    .filter((each) => each !== undefined);
  return interpolatedValues({
    ...apiEnvironment(service, {
      writerUrl: url('writer') ?? '',
      ...(readerUrl !== undefined && { readerUrl }),
      ...(cache && {
        cacheUrl: `redis://:${secretPlaceholders.redisPassword}@${composeName(tier, cache)}:${ports.cache}`,
      }),
      jwtSecret: secretPlaceholders.jwtSecret,
      preparedStatements: poolers.every(keepsPreparedStatements),
    }),
    HOST: '0.0.0.0',
    PORT: String(ports.api),
  });
}

/** The image's PgBouncer does unless it is told not to. */
function keepsPreparedStatements({ kind, settings }: Service): boolean {
  return kind !== 'pooler' || settings.pool_mode !== 'transaction' || settings.max_prepared_statements !== 0;
}
