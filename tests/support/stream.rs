//! A stream of server-sent events, read as it comes.

use std::time::Duration;

use serde_json::Value;

use super::answer::Answer;

/// How long something may take to come; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Stream {
    pub(crate) response: reqwest::Response,
    text: String,
}

impl Stream {
    /// Opens it; an answer that is none is shown.
    pub(crate) async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert!(response.status() == 200, "{} {}", response.status(), response.text().await.unwrap());
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next block of lines, comments included; `None` when the stream has ended.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("nothing came; so far: {:?}", self.text)).unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event; comments are passed over. `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        loop {
            let block = self.block().await?;
            let mut heard = Heard::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("event", event)) => event.clone_into(&mut heard.event),
                    Some(("id", id)) => id.clone_into(&mut heard.id),
                    Some(("data", data)) => heard.data = serde_json::from_str(data).unwrap(),
                    Some(("retry", _)) => {}
                    _ => assert!(line.starts_with(':'), "{line}"),
                }
            }
            if !heard.event.is_empty() {
                return Some(heard);
            }
        }
    }

    /// The next event, which must be of this kind.
    pub(crate) async fn hears(&mut self, event: &str) -> Heard {
        let heard = self.next().await.unwrap_or_else(|| panic!("the stream ended before `{event}`"));
        assert_eq!(heard.event, event, "{heard:?}");
        heard
    }

    /// The next `count` events' kinds and numbers.
    pub(crate) async fn hears_all(&mut self, count: usize) -> Vec<(String, i64)> {
        let mut all = Vec::new();
        for _ in 0..count {
            let heard = self.next().await.unwrap();
            all.push((heard.event, heard.id.parse().unwrap()));
        }
        all
    }

    /// The stream must end by itself.
    pub(crate) async fn ends(&mut self) {
        while let Some(block) = self.block().await {
            assert!(block.starts_with(':'), "{block}");
        }
    }
}

/// The answer to a request for a stream that is refused.
pub(crate) async fn refused(request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request).await
}
