use durable_runtime::prelude::*;
use serde_json::{Map, Value, json};

use durable_runtime::testing::TestRuntime;

#[activity]
async fn call_service(request: Value) -> Result<Value, String> {
    match request["path"].as_str() {
        Some("/price") => Ok(json!({ "cents": 250, "currency": "EUR" })),
        Some(path) => Err(format!("no {path}")),
        None => Err("no path".to_owned()),
    }
}

/// Values without types, built and taken apart by hand.
#[orchestration]
async fn untyped_request(ctx: OrchestrationContext, path: String) -> Value {
    let request = json!({ "path": path, "trace": ctx.instance_id().as_str(), "tags": ["a", 1, null] });
    match call_service(&ctx, request.clone()).await {
        Ok(answer) => {
            let cents = answer.get("cents").and_then(Value::as_u64).unwrap_or_default();
            json!({ "total": cents * 2, "in": answer["currency"] })
        }
        Err(ActivityError::Failed(text)) => json!({ "failed": text, "asked": request["path"] }),
        Err(other) => Value::String(other.to_string()),
    }
}

/// A document that is changed while it is walked; its objects are ordered.
#[orchestration]
async fn redact(ctx: OrchestrationContext, mut document: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in &mut document {
        if key.starts_with("secret") {
            *value = Value::Null;
        }
    }
    document.retain(|_, value| !value.is_null());
    document.insert("at".to_owned(), json!(ctx.execution_id().0));
    document
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Notice {
    Mail {
        to: String,
    },
    Call {
        number: u32,
        #[serde(default)]
        urgent: bool,
    },
}

/// Payloads with serde's attributes, also as text inside.
#[orchestration]
async fn parse_notices(_ctx: OrchestrationContext, lines: Vec<String>) -> (Vec<Notice>, usize) {
    let (good, bad): (Vec<_>, Vec<_>) = lines.iter().map(|line| serde_json::from_str(line)).partition(Result::is_ok);
    (good.into_iter().filter_map(Result::ok).collect(), bad.len())
}

#[tokio::test]
async fn they_read_and_write_json() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let price = runtime.run(untyped_request(&client, "/price".into())).await.unwrap();
    assert_eq!(price, json!({ "total": 500, "in": "EUR" }));
    let failed = runtime.run(untyped_request(&client, "/x".into())).await.unwrap();
    assert_eq!(failed, json!({ "failed": "no /x", "asked": "/x" }));
    let Value::Object(document) = json!({ "name": "Ada", "secret_key": 1 }) else { unreachable!() };
    let clean = runtime.run(redact(&client, document)).await.unwrap();
    assert_eq!(Value::Object(clean), json!({ "name": "Ada", "at": 1 }));
    let lines = vec![r#"{"kind":"mail","to":"x"}"#.to_owned(), r#"{"kind":"call","number":7}"#.into(), "?".into()];
    let notices = runtime.run(parse_notices(&client, lines)).await.unwrap();
    assert_eq!(notices, (vec![Notice::Mail { to: "x".into() }, Notice::Call { number: 7, urgent: false }], 1));
    runtime.shutdown().await;
}
