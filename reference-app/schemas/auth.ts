import { z } from 'zod';
import { plainText, timestamp } from './envelope.ts';

/** Deliberately plain: what follows the @ is settled by the mail that is sent there, not by a pattern. */
const email = z
  .string()
  .min(3)
  .max(254)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a class by its name is unknown to many readers of a schema
  .regex(/^[^\s\u0000-\u001f\u007f-\u009f@"'<>(),;:\\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/)
  .meta({ description: 'upper and lower case are the same' });

/** The bytes are counted by the route. */
const newPassword = z
  .string()
  .min(8)
  .max(72)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the one character that bcrypt cannot tell from an end
  .regex(/^[^\u0000]*$/)
  .meta({ description: '8 characters to 72 bytes' });
const token = z.string().min(20).max(200);

export const registration = z.object({ email, password: newPassword, name: plainText.min(1).max(100).regex(/\S/) });
export const credentials = z.object({ email, password: z.string().min(1).max(200) });
export const emailOnly = z.object({ email });
export const tokenOnly = z.object({ token });
export const passwordReset = z.object({ token, password: newPassword });
export const sessionParams = z.object({ id: z.string().regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/) });

export const role = z.enum(['user', 'admin']);

const user = z.object({
  id: z.int(),
  email: z.string(),
  name: z.string(),
  role,
  emailVerifiedAt: timestamp.nullable(),
  createdAt: timestamp,
  updatedAt: timestamp,
});

export const userAnswer = z.object({ success: z.literal(true), user });

export const refreshAnswer = z.object({
  success: z.literal(true),
  accessToken: z.string().meta({ description: 'a JWT for the Authorization header; also set as a cookie' }),
  expiresInS: z.int(),
});

export const loginAnswer = refreshAnswer.extend({ user });

export const sessionsAnswer = z.object({
  success: z.literal(true),
  sessions: z.array(
    z.object({
      id: z.string(),
      current: z.boolean().meta({ description: 'the session of this request' }),
      userAgent: z.string(),
      ip: z.string(),
      createdAt: timestamp,
      lastUsedAt: timestamp,
      expiresAt: timestamp,
    }),
  ),
});

export const userParams = z.object({ id: z.int().positive() });

export const userListQuery = z.object({
  page: z.int().min(1).max(1_000_000).default(1),
  limit: z.int().min(1).max(100).default(10),
});

export const userListAnswer = z.object({
  success: z.literal(true),
  users: z.array(user),
  pagination: z.object({ currentPage: z.int(), totalPages: z.int(), totalUsers: z.int() }),
});

export type Registration = z.output<typeof registration>;
export type Credentials = z.output<typeof credentials>;
export type PasswordReset = z.output<typeof passwordReset>;
export type UserListQuery = z.output<typeof userListQuery>;
