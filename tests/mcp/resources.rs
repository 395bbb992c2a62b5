//! Tasks as resources.

use serde_json::{Value, json};

use crate::chat::{CLASSIC, Chat, MODERN};
use crate::support::app::{TestApp, a_task};

#[tokio::test]
async fn open_tasks_are_listed_page_by_page_and_read() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for row in 0..60 {
        ada.has(a_task(&format!("Task {row}"))).await;
    }
    let chat = Chat::with_scopes(&ada, &["read"], CLASSIC).await;

    let first = chat.ask("resources/list", json!({})).await["result"].clone();
    let second = chat.ask("resources/list", json!({ "cursor": first["nextCursor"] })).await["result"].clone();
    assert!(second.get("nextCursor").is_none(), "{second}");
    let uris = |page: &Value| -> Vec<String> {
        let all = page["resources"].as_array().unwrap().iter();
        all.map(|resource| resource["uri"].as_str().unwrap().to_owned()).collect()
    };
    let tasks: Vec<String> =
        uris(&first).into_iter().chain(uris(&second)).filter(|uri| uri.starts_with("mindflow://tasks/")).collect();
    assert_eq!(tasks.len(), 60);
    let read = chat.ask("resources/read", json!({ "uri": tasks[0] })).await["result"]["contents"][0].clone();
    let task: Value = serde_json::from_str(read["text"].as_str().unwrap()).unwrap();
    assert_eq!((&read["mimeType"], &task["title"]), (&json!("application/json"), &json!("Task 59")));
    let best = chat.ask("resources/read", json!({ "uri": "mindflow://best" })).await;
    assert!(best["result"]["contents"][0]["text"].as_str().unwrap().contains("recommendation"));
    assert!(chat.ask("resources/list", json!({ "cursor": "made up" })).await["error"]["code"].is_i64());
    let templates = chat.ask("resources/templates/list", json!({})).await;
    assert_eq!(templates["result"]["resourceTemplates"][0]["uriTemplate"], "mindflow://tasks/{id}");
    let completion = json!({
        "ref": { "type": "ref/resource", "uri": "mindflow://tasks/{id}" },
        "argument": { "name": "id", "value": "task 7" },
    });
    let completed = chat.ask("completion/complete", completion).await;
    assert_eq!(completed["result"]["completion"]["values"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_resource_is_an_error_of_its_era() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;

    for (era, code) in [(CLASSIC, -32002), (MODERN, -32602)] {
        let chat = Chat::with_scopes(&ada, &["read"], era).await;
        for uri in ["mindflow://tasks/01930000-0000-7000-8000-000000000001", "mindflow://tasks/x", "file:///etc/passwd"]
        {
            assert_eq!(chat.ask("resources/read", json!({ "uri": uri })).await["error"]["code"], code, "{era} {uri}");
        }
    }
}
