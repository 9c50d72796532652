//! The format of the file: made when it is new, brought up to date when it is old, refused when it is newer.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::providers::OpenError;
use crate::providers::sql::counters::Counters;

/// In the header of the file, so that it is known as a store: "durb".
const APPLICATION: i32 = 0x6475_7262;
/// What brings format n to n + 1, from nothing on.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema-2.sql")];
const FIRST: &str = "INSERT INTO store (only_one, commits, fence, sequence, handles, seal) VALUES (1, 0, 0, 0, 0, ?1)";

/// Makes the file a store of the newest format, unless it is something else.
pub(super) fn bring_up(connection: &mut Connection, path: &Path) -> Result<(), Refused> {
    check(connection, path)?;
    let formats = STEPS.len() as i64;
    if format(connection)? == formats {
        return Ok(());
    }
    // Others may do the same at this moment, so look again when nobody else can write.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    check(&transaction, path)?;
    let found = usize::try_from(format(&transaction)?).unwrap_or_default();
    for step in STEPS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        transaction.execute(FIRST, [i64::try_from(Counters::NEW.seal()).unwrap_or_default()])?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    transaction.pragma_update(None, "user_version", formats)?;
    Ok(transaction.commit()?)
}

/// Why a file cannot be used.
pub(super) enum Refused {
    Sqlite(rusqlite::Error),
    Open(OpenError),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check(connection: &Connection, path: &Path) -> Result<(), Refused> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables > 0) {
        return Err(Refused::Open(OpenError::Foreign { path: path.to_owned(), found: "a database of something else" }));
    }
    let found = format(connection)?;
    let (supported, path) = (STEPS.len() as u32, path.to_owned());
    match u32::try_from(found) {
        Ok(0) if application == 0 => Ok(()),
        Ok(found) if found > supported => Err(Refused::Open(OpenError::NewerFormat { path, found, supported })),
        Ok(1..) => Ok(()),
        _ => Err(Refused::Open(OpenError::UnknownFormat { path, found: found.to_string(), supported })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use bytes::Bytes;
    use rusqlite::Connection;

    use super::{APPLICATION, STEPS};
    use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
    use crate::providers::{
        ActivityRequest, CommitId, KvPageRequest, Maintain, NewMessage, OwnerId, PageRequest, Provider, Queue,
        SqliteProvider, Transaction, TransactionOp, TurnRequest,
    };

    const INSTANCES: u128 = 40;
    /// The tables of the first format, with the columns they had.
    const TABLES: [(&str, &str); 10] = [
        ("store", "only_one, commits, fence, sequence, handles, seal"),
        ("instances", "instance, execution, revision, seal"),
        ("partitions", "instance, execution, length, seal"),
        ("events", "instance, execution, event, data"),
        ("metadata", "instance, key, value"),
        ("labels", "instance, name, value, seal"),
        ("messages", "instance, queue, id, sequence, visible_at, execution, topic, tag, attempt, fence"),
        ("bodies", "sequence, data"),
        ("turns", "instance, due, place, not_before, fence"),
        ("commits", "number, id"),
    ];

    fn id(number: u128) -> InstanceId {
        InstanceId::new(format!("i{number:03}")).unwrap()
    }

    fn data(number: u128) -> Bytes {
        vec![b'x'; [10, 700, 5_000, 20_000][number as usize % 4]].into()
    }

    fn everything(number: u128) -> Transaction {
        let (instance, data, execution_id) = (id(number), data(number), ExecutionId::FIRST);
        let message = |name: &str| NewMessage {
            id: MessageId::new(name).unwrap(),
            execution_id,
            topic: "work".to_owned(),
            tag: number.is_multiple_of(2).then(|| "tag".to_owned()),
            session: None,
            visible_at: None,
            data: data.clone(),
        };
        let ops = vec![
            TransactionOp::CreateExecution { instance: instance.clone(), execution_id },
            TransactionOp::AppendHistory {
                instance: instance.clone(),
                execution_id,
                first: EventId::FIRST,
                events: vec![data.clone(), data.clone()],
            },
            TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![message("m")] },
            TransactionOp::EnqueueWork { queue: Queue::Activities(instance.clone()), items: vec![message("job")] },
            TransactionOp::PutMetadata {
                instance: instance.clone(),
                entries: vec![("output".to_owned(), Some(data.clone()))],
            },
            TransactionOp::PutLabels { instance, labels: vec![("kind".to_owned(), Some("order".to_owned()))] },
        ];
        Transaction { fence: None, commit_id: CommitId(number + 1), ops }
    }

    /// The first schema as it was, filled with what stands in a file of today.
    fn in_format_1(today: &Path, then: &Path) {
        let connection = Connection::open(then).unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.execute("ATTACH ?1 AS today", [today.to_str().unwrap()]).unwrap();
        for (table, columns) in TABLES {
            let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}");
            assert!(connection.execute(&copy, []).unwrap() > 0, "{table}");
        }
        connection.pragma_update(None, "application_id", APPLICATION).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
    }

    #[tokio::test]
    async fn a_file_of_the_first_format_is_brought_up_and_everything_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (today, then) = (folder.path().join("today.db"), folder.path().join("then.db"));
        let store = SqliteProvider::open(&today).unwrap();
        for number in 0..INSTANCES {
            store.atomic_batch(everything(number)).await.unwrap();
        }
        store.close().await;
        in_format_1(&today, &then);

        let store = SqliteProvider::open(&then).unwrap();
        let checkup = store.doctor().await.unwrap();
        assert!(checkup.is_sound(), "{checkup}");
        let labels = vec![("kind".to_owned(), "order".to_owned())];
        let page = PageRequest { labels, limit: 1_000, ..PageRequest::default() };
        assert_eq!(store.instances(page).await.unwrap().instances.len(), INSTANCES as usize);
        for number in 0..INSTANCES {
            let record = store.instance(&id(number)).await.unwrap().unwrap();
            assert_eq!(record.metadata["output"], data(number));
            let events = store.history(&id(number), ExecutionId::FIRST, EventId::FIRST, 9).await.unwrap();
            assert!(events.len() == 2 && events.iter().all(|event| event.data == data(number)));
        }
        // A transaction of then is known, what waited is handed out, and what is new works on what is old.
        store.atomic_batch(everything(7)).await.unwrap();
        let (owner, ttl, wait) = (OwnerId::new("test"), Duration::from_secs(99), Duration::ZERO);
        let turns = TurnRequest { owner: owner.clone(), max: 1_000, ttl, wait, instance: None, skills: None };
        assert_eq!(store.fetch_turns(turns).await.unwrap().len(), INSTANCES as usize);
        let (topics, tags) = (["work".to_owned()].into(), ["tag".to_owned()].into());
        let jobs = ActivityRequest { owner, max: 1_000, ttl, wait, topics, tags, session_ttl: Some(ttl) };
        assert_eq!(store.fetch_activities(jobs).await.unwrap().len(), INSTANCES as usize);
        let entries = vec![("k".to_owned(), Some(data(1)))];
        let ops = vec![TransactionOp::PutKv { instance: id(0), entries }];
        store.atomic_batch(Transaction { fence: None, commit_id: CommitId(1_000), ops }).await.unwrap();
        let page = KvPageRequest { limit: 9, ..KvPageRequest::default() };
        assert_eq!(store.kv_page(&id(0), page).await.unwrap().entries.len(), 1);
        store.close().await;
        assert!(SqliteProvider::open(&then).unwrap().doctor().await.unwrap().is_sound());
    }
}
