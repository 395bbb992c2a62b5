//! Calls that are sent again: the first answer is kept with its change, as receipts of the HTTP API are, and given again.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::tasks::receipts::{Answer, RetryKey};
use crate::tasks::{Changed, Retry, TaskError};

use super::outcome::{Kind, Outcome, Refusal, Success};

/// What identifies a call of a tool that may be sent again.
pub(super) fn key_of(tool: &str, key: &str, asked: &str) -> RetryKey {
    // Apart from the keys of the HTTP API, whose answers are written otherwise.
    RetryKey { key: format!("mcp {key}"), fingerprint: Sha256::digest(format!("{tool} {asked}")).into() }
}

/// How the outcome of a change is kept.
pub(super) fn keeping<T>(key: RetryKey, success: impl Fn(&Changed<T>) -> Success + Send + Sync + 'static) -> Retry<T> {
    let render = move |outcome: Result<&Changed<T>, &TaskError>| {
        let body = match outcome {
            Ok(changed) => {
                let success = success(changed);
                json!({ "text": success.text, "structured": success.structured })
            }
            Err(error) => json!({ "text": error.to_string() }),
        };
        Answer { status: 200, headers: Vec::new(), body: body.to_string() }
    };
    Retry { key, render: Arc::new(render) }
}

/// The first answer again.
pub(super) fn replayed(answer: &Answer) -> Outcome {
    let mut kept: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = kept["text"].as_str().unwrap_or_default().to_owned();
    match kept["structured"].take() {
        Value::Null => Err(Refusal::new(Kind::Conflict, format!("Nothing was done: {text}."))),
        structured => Ok(Success { text: format!("Already done before. {text}"), structured, is_replayed: true }),
    }
}
