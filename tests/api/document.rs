//! The published document is the one that the program generates.

use mindflow::app::Api;
use mindflow::http::document::{document, to_yaml};

use crate::support::app::{TestApp, a_task};

/// Refreshes the files when `BLESS` is set; otherwise compares.
fn is_current(file: &str, expected: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == expected, "openapi/{file} is stale: run `BLESS=1 cargo test --test api document` and commit it");
}

#[test]
fn the_committed_document_is_current() {
    let document = document::<Api>();

    is_current("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&document).unwrap()));
    is_current("openapi.yaml", &to_yaml(&document));
}

#[test]
fn every_operation_reads_well_in_a_generated_client() {
    let document = document::<Api>();

    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{method} {path}: {id}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id}");
            assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{id}");
        }
    }
}

#[tokio::test]
async fn what_swagger_ui_fills_in_is_accepted() {
    let document = document::<Api>();
    let example = |name: &str| document["components"]["schemas"][name]["example"].clone();
    let app = TestApp::new().await;
    let eve = app.admin("eve").await;

    for (path, body) in [
        ("/api/tasks", "TaskInput"),
        ("/api/projects", "ProjectInput"),
        ("/api/labels", "LabelInput"),
        ("/api/tasks/batch", "Batch"),
        ("/api/policies/validate", "PolicyScript"),
        ("/api/policies/mine/versions", "PolicyProposal"),
    ] {
        eve.post(path, &example(body)).await.good();
    }
    let task = eve.has(a_task("Anything")).await;
    let path = format!("/api/tasks/{task}");
    eve.patch(&path, &example("TaskChange")).await.good();
    eve.put(&path, &example("TaskInput")).await.good();
    eve.post(&format!("{path}/snooze"), &example("SnoozeTask")).await.good();
}
