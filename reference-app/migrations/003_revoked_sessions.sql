-- Ending all sessions of a user looks at those that were ended a moment ago as well (repositories/sessions.ts).
create index sessions_revoked on sessions (user_id, revoked_at) where revoked_at is not null;
