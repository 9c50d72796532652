-- Format 1. Nothing here knows what an event means, or what an instance does.

-- Numbers that never repeat; `seal` is the checksum of the others.
CREATE TABLE store (
    only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    commits INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    handles INTEGER NOT NULL,
    seal INTEGER NOT NULL
) STRICT;

-- Who has the store open.
CREATE TABLE handles (handle INTEGER NOT NULL PRIMARY KEY, process INTEGER NOT NULL) STRICT;

CREATE TABLE instances (
    instance TEXT NOT NULL PRIMARY KEY,
    execution INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    seal INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One for each execution of an instance, with the number of its events.
CREATE TABLE partitions (
    instance TEXT NOT NULL,
    execution INTEGER NOT NULL,
    length INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (instance, execution)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    instance TEXT NOT NULL,
    execution INTEGER NOT NULL,
    event INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (instance, execution, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE metadata (
    instance TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (instance, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE labels (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (instance, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (name, value, instance);

-- What waits: `queue` 0 for turns, 1 for activities. What a message says stands in `bodies`, so that counting how often
-- it was handed out does not rewrite it.
CREATE TABLE messages (
    instance TEXT NOT NULL,
    queue INTEGER NOT NULL CHECK (queue IN (0, 1)),
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    execution INTEGER NOT NULL,
    topic TEXT NOT NULL,
    tag TEXT,
    attempt INTEGER NOT NULL,
    fence INTEGER,
    PRIMARY KEY (instance, queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_of_turns ON messages (instance, visible_at, sequence) WHERE queue = 0;
CREATE INDEX messages_in_lanes ON messages (topic, tag, visible_at, sequence) WHERE queue = 1 AND fence IS NULL;
CREATE INDEX messages_to_come ON messages (visible_at) WHERE queue = 1 AND fence IS NULL;

CREATE TABLE bodies (sequence INTEGER NOT NULL PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- One for each instance that has messages for turns, or is leased: when it is due, and in which place.
CREATE TABLE turns (
    instance TEXT NOT NULL PRIMARY KEY,
    due INTEGER,
    place INTEGER,
    not_before INTEGER NOT NULL,
    fence INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_by_due ON turns (due, place) WHERE fence IS NULL;

-- `activity` is empty for a lease on the instance itself.
CREATE TABLE leases (
    fence INTEGER NOT NULL PRIMARY KEY,
    instance TEXT NOT NULL,
    activity TEXT NOT NULL,
    execution INTEGER NOT NULL,
    granted_at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    handle INTEGER NOT NULL,
    UNIQUE (instance, activity)
) STRICT;
CREATE INDEX leases_by_expiry ON leases (expires);
CREATE INDEX leases_by_handle ON leases (handle);

-- The transactions kept last, so that one that is handed over again is not kept twice.
CREATE TABLE commits (number INTEGER NOT NULL PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
