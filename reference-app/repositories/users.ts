import type { Database, Queries, Read, Role } from '../dependencies.ts';
import type { WalPosition } from '../plugins/write-positions.ts';

export interface User {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly emailVerifiedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface UserWithPassword extends User {
  readonly passwordHash: string;
}

const userColumns = `users.id, users.email, users.name, users.role, users.email_verified_at as "emailVerifiedAt",
  users.created_at as "createdAt", users.updated_at as "updatedAt"`;

export function createUsersRepository(database: Database) {
  const { writer } = database;

  async function byId(from: Queries, id: number): Promise<User | undefined> {
    const result = await from.query<User>({
      name: 'user-by-id',
      text: `select ${userColumns} from users where id = $1`,
      values: [id],
    });
    return result.rows[0];
  }

  return {
    /** From the writer: a password changed a moment ago must count. */
    async findByEmail(email: string): Promise<UserWithPassword | undefined> {
      const result = await writer.query<UserWithPassword>({
        name: 'user-by-email',
        text: `select ${userColumns}, password_hash as "passwordHash" from users where email = $1`,
        values: [email],
      });
      return result.rows[0];
    },

    /** May be a moment old. One who is not there may only not have reached the replica. */
    async findById(id: number, after: WalPosition): Promise<Read<User | undefined>> {
      const read = await database.read(after, (from) => byId(from, id));
      return read.value === undefined ? database.readWriter(after, (from) => byId(from, id)) : read;
    },

    /** Undefined when the e-mail is taken. */
    async create(user: { email: string; name: string; passwordHash: string }): Promise<User | undefined> {
      const result = await writer.query<User>({
        name: 'user-create',
        text: `insert into users (email, name, password_hash) values ($1, $2, $3)
          on conflict (email) do nothing returning ${userColumns}`,
        values: [user.email, user.name, user.passwordHash],
      });
      return result.rows[0];
    },

    /** May be a moment old. */
    list(page: number, limit: number, after: WalPosition): Promise<Read<{ users: User[]; totalUsers: number }>> {
      return database.read(after, async (from) => {
        const [users, total] = await Promise.all([
          from.query<User>({
            name: 'users-list',
            text: `select ${userColumns} from users order by id limit $1 offset $2`,
            values: [limit, (page - 1) * limit],
          }),
          from.query<{ count: number }>({ name: 'users-count', text: 'select count(*) from users' }),
        ]);
        return { users: users.rows, totalUsers: total.rows[0]?.count ?? 0 };
      });
    },
  };
}

export type UsersRepository = ReturnType<typeof createUsersRepository>;
