-- Format 2: keys and values of instances, sessions, who holds a lease.

CREATE TABLE entries (
    instance TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (instance, key)
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN session TEXT;
DROP INDEX messages_in_lanes;
CREATE INDEX messages_in_lanes ON messages (topic, tag, visible_at, sequence)
    WHERE queue = 1 AND fence IS NULL AND session IS NULL;
CREATE INDEX messages_in_sessions ON messages (topic, tag, visible_at, sequence)
    WHERE queue = 1 AND fence IS NULL AND session IS NOT NULL;

ALTER TABLE leases ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- Who is handed the messages of a session, and for how long from each time on.
CREATE TABLE sessions (
    session TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    handle INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_by_handle ON sessions (handle);
