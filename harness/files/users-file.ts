import { z } from 'zod';
import { checkSchema, closedObject, type FileKind, invalidFile, readYamlFile } from './yaml-file.ts';

const kind: FileKind = { kind: 'users', invalid: 'USERS_FILE_INVALID' };

const users = z.array(closedObject({ email: z.string().min(1), password: z.string().min(1) })).min(1);

/** Someone a virtual user can be. */
export interface FileUser {
  readonly index: number;
  readonly email: string;
  readonly password: string;
}

/**
 * A list of `{ email, password }`, YAML or JSON, to sign in with at a server whose users are not ours.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or USERS_FILE_INVALID with every problem and its place.
 */
export async function readUsers(path: string): Promise<readonly FileUser[]> {
  const file = await readYamlFile(path, kind);
  const { value, problems } = checkSchema(file, users);
  const all = [...file.problems, ...problems];
  if (all.length > 0 || value === undefined) throw invalidFile(path, kind, all);
  return value.map((user, index) => ({ index, ...user }));
}
