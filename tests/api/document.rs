//! The published document is the one that the program generates.

use mindflow::app::Api;
use mindflow::http::document::{document, to_yaml};

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
