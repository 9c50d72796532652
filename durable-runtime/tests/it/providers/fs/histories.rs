//! Histories a person can read.

use std::fs;

use durable_runtime::ExecutionId;
use durable_runtime::prelude::*;
use durable_runtime::providers::{Provider, TransactionOp};

use super::super::multiexec::continue_as_new_multiexec;
use super::{append, create, entries, everything, id, keep, options, readable};

/// The proof for every store, and: each execution has a file of its own, with its own events and no others.
#[tokio::test]
async fn continue_as_new_multiexec_fs() {
    let folder = tempfile::tempdir().unwrap();
    continue_as_new_multiexec(|| options().open(folder.path()).unwrap()).await;
    let store = options().open(folder.path()).unwrap();
    let client = Client::new(store.clone());
    let files = readable(folder.path());
    assert_eq!(files.iter().map(|(_, execution, _)| *execution).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for (instance, execution, text) in files {
        assert_eq!(instance, "generations");
        let history = client.history("generations", ExecutionId(execution)).await.unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kept: Vec<_> = history.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        assert_eq!(lines, kept, "execution {execution}");
    }
    store.close().await;
}

#[tokio::test]
async fn one_event_is_one_line_of_its_execution() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().open(folder.path()).unwrap();
    keep(&store, 1, vec![create("a", 1), append("a", 1, 1, &["{\"n\":1}", "{\"n\":2}"]), create("b", 1)]).await;
    keep(&store, 2, vec![append("a", 1, 3, &["{\"n\":3}"]), create("a", 2), append("a", 2, 1, &["{\"n\":4}"])]).await;
    let long = "y".repeat(50_000);
    keep(&store, 3, vec![append("b", 1, 1, &[&long])]).await;
    store.close().await;
    let file = |id: &str, execution, text: &str| (id.to_owned(), execution, text.to_owned());
    let expected = [
        file("a", 1, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"),
        file("a", 2, "{\"n\":4}\n"),
        file("b", 1, &format!("{long}\n")),
    ];
    assert_eq!(readable(folder.path()), expected);
}

#[tokio::test]
async fn a_deleted_instance_has_no_files_and_a_new_one_of_its_name_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().open(folder.path()).unwrap();
    let delete = |instance: &str| TransactionOp::DeleteInstance { instance: id(instance) };
    for (number, instance) in ["a", "b", "c"].into_iter().enumerate() {
        keep(&store, number as u128, vec![create(instance, 1), append(instance, 1, 1, &["1", "2", "3"])]).await;
    }
    keep(&store, 10, vec![delete("a")]).await;
    keep(&store, 11, vec![delete("b"), create("b", 1), append("b", 1, 1, &["new"])]).await;
    keep(&store, 12, vec![append("b", 1, 2, &["more"])]).await;
    store.close().await;
    let file = |id: &str, text: &str| (id.to_owned(), 1, text.to_owned());
    assert_eq!(readable(folder.path()), [file("b", "new\nmore\n"), file("c", "1\n2\n3\n")]);
    assert_eq!(entries(&folder.path().join("instances")).len(), 2);
}

#[tokio::test]
async fn hostile_ids_stay_in_their_folder_and_apart() {
    let ids = ["../../x", "/etc/passwd", "a/b", "a\\b", "con", "A", "a", "é", "e\u{301}", "'\"", "%2e", " ", "."];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = options().open(&path).unwrap();
    for (number, instance) in ids.iter().enumerate() {
        keep(&store, number as u128, vec![create(instance, 1), append(instance, 1, 1, &[instance])]).await;
    }
    store.close().await;
    let mut expected: Vec<_> = ids.iter().map(|id| ((*id).to_owned(), 1, format!("{id}\n"))).collect();
    expected.sort();
    assert_eq!(readable(&path), expected);
    assert_eq!(entries(folder.path()), [path]);
}

#[tokio::test]
async fn whatever_was_done_to_the_files_is_put_right_when_the_store_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().open(folder.path()).unwrap();
    for (number, instance) in ["a", "b", "c", "d"].into_iter().enumerate() {
        keep(&store, number as u128, everything(instance, 10)).await;
    }
    store.close().await;
    let before = readable(folder.path());
    let instances = entries(&folder.path().join("instances"));
    fs::write(instances[0].join("executions/1/history.jsonl"), "a lie\n").unwrap();
    fs::remove_dir_all(&instances[1]).unwrap();
    fs::remove_file(instances[2].join("id.txt")).unwrap();
    fs::create_dir_all(instances[3].join("executions/7")).unwrap();
    fs::write(instances[3].join("executions/7/history.jsonl"), "").unwrap();
    let stray = folder.path().join("instances").join(format!("stray-{}", "a".repeat(32)));
    fs::create_dir(&stray).unwrap();
    fs::write(folder.path().join("instances/notes.txt"), "not ours").unwrap();

    options().open(folder.path()).unwrap().close().await;
    fs::remove_file(folder.path().join("instances/notes.txt")).unwrap();
    assert_eq!(readable(folder.path()), before);

    fs::remove_dir_all(folder.path().join("instances")).unwrap();
    options().open(folder.path()).unwrap().close().await;
    assert_eq!(readable(folder.path()), before);
}

#[tokio::test]
async fn a_store_without_readable_histories_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().readable_histories(false).open(folder.path()).unwrap();
    keep(&store, 1, everything("a", 10)).await;
    store.close().await;
    assert!(!folder.path().join("instances").exists());
    options().open(folder.path()).unwrap().close().await;
    assert_eq!(readable(folder.path()).len(), 1);
}
