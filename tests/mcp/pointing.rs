//! Tasks are pointed at by id or in words; never by a guess.

use serde_json::json;

use crate::chat::Chat;
use crate::support::app::{TestApp, a_task, minutes};

#[tokio::test]
async fn one_match_acts_several_are_listed_and_none_says_so() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let dentist = ada.has(a_task("Call the dentist")).await;
    ada.has(a_task("Report for Bob")).await;
    let eve = ada.has(a_task("Report for Eve")).await;
    let chat = Chat::of(&ada).await;

    let done = chat.call("complete_task", json!({ "query": "the dentist one" })).await.good();
    assert_eq!(done["task"]["id"], dentist.to_string());
    let unsure = chat.call("complete_task", json!({ "query": "report" })).await.refused("ambiguous");
    assert_eq!(unsure.data["error"]["candidates"].as_array().unwrap().len(), 2);
    assert!(unsure.text.contains(&eve.to_string()) && unsure.text.contains("Report for Bob"), "{}", unsure.text);
    let none = chat.call("snooze_task", json!({ "query": "zebra", "minutes": 5 })).await.refused("not_found");
    assert!(none.text.contains("\"zebra\""), "{}", none.text);
    for task in [eve] {
        assert_eq!(ada.get_task(task).await.good()["version"], 1);
    }
    let exact = chat.call("complete_task", json!({ "query": "report for eve" })).await.good();
    assert_eq!(exact["task"]["id"], eve.to_string());
}

#[tokio::test]
async fn a_call_says_which_task_in_one_way() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let id = ada.has(a_task("Report")).await.to_string();
    let chat = Chat::of(&ada).await;

    assert_eq!(chat.call("complete_task", json!({})).await.faults(), ["id"]);
    assert_eq!(chat.call("complete_task", json!({ "id": id, "query": "report" })).await.faults(), ["query"]);
    assert_eq!(chat.call("complete_task", json!({ "id": 7 })).await.faults(), ["id"]);
    chat.call("complete_task", json!({ "id": "01930000-0000-7000-8000-000000000001" })).await.refused("not_found");
    // A model that puts words where an id belongs means the words; one that sends `null` means nothing.
    let done = chat.call("complete_task", json!({ "id": "report", "query": null })).await.good();
    assert_eq!(done["task"]["id"], id);
}

#[tokio::test]
async fn every_word_counts_however_many_there_are() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let long = "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa";
    ada.has(a_task(&format!("{long} and prepare the slides"))).await;
    let chat = Chat::of(&ada).await;

    let words = format!("{long} and cancel the subscription");
    chat.call("complete_task", json!({ "query": words })).await.refused("not_found");
}

#[tokio::test]
async fn words_that_were_followed_change_nothing_when_they_come_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let paula = ada.has(a_task("Ring Paula")).await;
    let party = ada.has(a_task("Ring Paula about the party")).await;
    let chat = Chat::of(&ada).await;
    let words = json!({ "query": "ring paula" });

    let first = chat.call("complete_task", words.clone()).await.good();
    assert_eq!((&first["task"]["id"], &first["changed"]), (&json!(paula.to_string()), &json!(true)));
    let again = chat.call("complete_task", words.clone()).await;
    assert!(again.text.starts_with("Nothing to change"), "{}", again.text);
    assert_eq!(again.good()["changed"], false);

    chat.call("delete_task", words.clone()).await.good();
    for tool in ["delete_task", "complete_task"] {
        let gone = chat.call(tool, words.clone()).await.refused("not_found");
        assert!(gone.text.contains("\"Ring Paula\" was deleted"), "{tool}: {}", gone.text);
    }
    assert_eq!(ada.get_task(party).await.good()["version"], 1);
    chat.call("delete_task", json!({ "query": "the party one" })).await.good();
}

#[tokio::test]
async fn a_title_that_was_done_with_a_moment_ago_does_not_mean_its_twin() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (one, other) = (ada.has(a_task("Same")).await, ada.has(a_task("Same")).await);
    let chat = Chat::of(&ada).await;

    chat.call("complete_task", json!({ "id": one.to_string() })).await.good();
    let unsure = chat.call("complete_task", json!({ "query": "Same" })).await.refused("ambiguous");
    assert_eq!(unsure.data["error"]["candidates"].as_array().unwrap().len(), 2);
    chat.call("delete_task", json!({ "id": one.to_string() })).await.good();
    let unsure = chat.call("delete_task", json!({ "query": "Same" })).await.refused("ambiguous");
    assert_eq!(unsure.data["error"]["candidates"][0]["id"], other.to_string());
    assert_eq!(ada.get_task(other).await.good()["version"], 1);

    app.advance(minutes(61));
    assert_eq!(chat.call("complete_task", json!({ "query": "Same" })).await.good()["changed"], true);
}
