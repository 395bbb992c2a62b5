//! The OpenAPI document as it is published.

use serde_json::Value;

use crate::http::document::{ApiDocument, document, to_yaml};
use crate::http::fake::FakeApi;

#[test]
fn the_document_is_complete() {
    insta::assert_snapshot!(to_yaml(&document::<FakeApi>()));
}

#[test]
fn scopes_are_kept_and_not_published() {
    let document = ApiDocument::of::<FakeApi>();

    assert_eq!(document.scopes["create_thing"].as_str(), "write");
    assert_eq!(document.scopes["list_things"].as_str(), "read");
    assert!(!document.scopes.contains_key("login") && !document.scopes.contains_key("check_health"));
    assert!(!document.value.to_string().contains("bearer_"));
}

#[test]
fn behind_a_proxy_the_document_names_the_path_it_is_served_at() {
    let server = |url: &str| ApiDocument::of::<FakeApi>().served_at(url).value["servers"][0]["url"].clone();

    assert_eq!(server("https://m.example/flow/"), Value::from("/flow"));
    assert_eq!(server("https://m.example"), Value::from("/"));
}
