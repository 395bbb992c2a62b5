//! Answers, and the words that judge them; the body is shown when the judgement fails.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer that has arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; text that is none is a string, an empty one is null.
    pub(crate) body: Value,
}

impl Answer {
    /// Sends the request and waits for all of the answer.
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Self { status, headers, body }
    }

    /// The body of a successful answer.
    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// The answer itself, when its status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The body of a problem document of this kind.
    #[track_caller]
    pub(crate) fn assert_problem(self, kind: &str) -> Value {
        assert_eq!(self.body["type"], format!("urn:mindflow:problem:{kind}"), "{} {}", self.status, self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.body["request_id"].as_str(), self.header("x-request-id"));
        self.body
    }

    /// The places of the faults that a refused request was told of, in order.
    #[track_caller]
    pub(crate) fn faults(self) -> Vec<String> {
        assert_eq!(self.status, 422, "{}", self.body);
        let body = self.assert_problem("invalid-input");
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The token that takes the change back.
    #[track_caller]
    pub(crate) fn undo_token(&self) -> String {
        self.header("undo-token").unwrap_or_else(|| panic!("no undo token: {} {}", self.status, self.body)).to_owned()
    }

    /// The titles of the tasks of a list, in its order.
    #[track_caller]
    pub(crate) fn titles(self) -> Vec<String> {
        let body = self.good();
        let items = body["items"].as_array().unwrap();
        let title = |item: &Value| item["title"].as_str().or(item["task"]["title"].as_str()).unwrap().to_owned();
        items.iter().map(title).collect()
    }
}
