import { z } from 'zod';
import type { Json, User } from '../../scenarios/kit.ts';
import { checkSchema, type FileKind, invalidFile, readYamlFile } from './yaml-file.ts';

const kind: FileKind = { kind: 'users', invalid: 'USERS_FILE_INVALID' };

/** A user is an object of the fields its scenario reads; its index is its place in the list. */
const fields = z
  .record(z.string().min(1), z.json())
  .refine((user) => !('index' in user), 'index is its place in the list');
const users = z.array(fields).min(1);

/**
 * A list of users, YAML or JSON, at a server whose users are not ours: `{ email, password }`, or whatever the scenario reads.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or USERS_FILE_INVALID with every problem and its place.
 */
export async function readUsers(path: string): Promise<readonly User[]> {
  const file = await readYamlFile(path, kind);
  const { value, problems } = checkSchema(file, users);
  const all = [...file.problems, ...problems];
  if (all.length > 0 || value === undefined) throw invalidFile(path, kind, all);
  return value.map((user, index): User => ({ ...(user as Readonly<Record<string, Json>>), index }));
}

const SECRET_FIELD = /password|secret|token|key|pin$/i;

/** The values that must be in no stored file: texts of fields that are named like secrets. */
export function secretsOf(users: readonly User[]): readonly string[] {
  const secrets = users.flatMap((user) =>
    Object.entries(user).flatMap(([name, value]) =>
      SECRET_FIELD.test(name) && typeof value === 'string' ? [value] : [],
    ),
  );
  return [...new Set(secrets)];
}
