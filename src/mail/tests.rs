//! Mail on its way, to a letterbox and to a mail server that speaks SMTP.

mod queue;
mod server;
mod smtp;

use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use super::*;
use crate::background::Background;
use crate::clock::Clock;
use crate::ids::UserId;
use crate::observe::metrics::MailMetrics;
use crate::secret_key::SecretKey;
use crate::store::Store;
use crate::store::testing::{TestStore, test_stores};

/// When the clock of these tests stands at first.
const BEGIN: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// Keeps what would have been sent.
pub(crate) struct Letterbox {
    sender: mpsc::UnboundedSender<Mail>,
    mails: Mutex<mpsc::UnboundedReceiver<Mail>>,
}

impl Default for Letterbox {
    fn default() -> Self {
        let (sender, mails) = mpsc::unbounded_channel();
        Self { sender, mails: Mutex::new(mails) }
    }
}

impl Letterbox {
    /// Waits for the next mail.
    pub(crate) async fn next(&self) -> Mail {
        self.mails.lock().await.recv().await.unwrap()
    }

    /// The secret in the link of the next mail that has one.
    pub(crate) async fn next_token(&self) -> String {
        loop {
            if let Some(link) = self.next().await.message.link() {
                return link.split_once("token=").unwrap().1.to_owned();
            }
        }
    }

    /// Whether nothing has come.
    pub(crate) async fn is_empty(&self) -> bool {
        self.mails.lock().await.is_empty()
    }
}

#[async_trait]
impl Mailer for Letterbox {
    fn ready(&self) -> Result<(), MailError> {
        Ok(())
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.sender.send(mail.clone()).map_err(|error| MailError::Refused(Box::new(error)))
    }
}

/// A queue and who sends from it.
pub(crate) fn post_over(store: &Store, clock: &Clock, mailer: Arc<dyn Mailer>) -> (Post, Background) {
    let post = Post::new(PostParts {
        store: store.clone(),
        clock: clock.clone(),
        secret: SecretKey::new("a secret of the tests, 32 bytes long"),
        mailer,
        server: "https://mindflow.example".to_owned(),
        metrics: MailMetrics::default(),
    });
    let courier = Background::start(store, clock, Vec::new(), vec![Courier::new(post.clone()).own()]);
    (post, courier)
}

fn reset(link: &str) -> Message {
    Message::ResetPassword { link: link.to_owned() }
}

/// A letter to nobody of the database.
fn letter(to: &str, message: Message) -> Letter {
    Letter { user: None, ..Letter::new(UserId(Uuid::nil()), to, message) }
}

async fn put(store: &Store, post: &Post, letter: Letter) {
    let queue = post.clone();
    let kept: Result<(), crate::accounts::AccountError> =
        store.write(move |tx| Box::pin(async move { queue.put(tx, letter).await })).await;
    kept.unwrap();
    post.wake();
}

#[tokio::test]
async fn mail_names_its_server_and_its_link() {
    for TestStore { store, .. } in &test_stores().await {
        let (clock, letterbox) = (Clock::fixed(BEGIN), Arc::new(Letterbox::default()));
        let (post, _courier) = post_over(store, &clock, letterbox.clone());

        put(store, &post, letter("ada@example.org", reset("https://x/?token=1&a=<b>"))).await;
        let first = letterbox.next().await;
        put(store, &post, letter("ada@example.org", Message::PasswordChanged)).await;
        let second = letterbox.next().await;

        assert_eq!(
            (first.to.as_str(), first.message.subject()),
            ("ada@example.org", "Choose a new password".to_owned())
        );
        assert!(first.text().contains("https://x/?token=1&a=<b>") && first.text().contains("https://mindflow.example"));
        assert!(first.html().contains("https://x/?token=1&amp;a=&lt;b&gt;") && !first.html().contains("<b>"));
        assert!(second.text().contains("If this was not you") && second.html().contains("<html lang=\"en\">"));
    }
}

#[tokio::test]
async fn a_server_in_production_without_a_mail_server_says_so() {
    for environment in [Environment::Production, Environment::Staging] {
        assert!(without_smtp(environment).ready().is_err());
    }
    for environment in [Environment::Development, Environment::Test, Environment::Testing] {
        assert!(without_smtp(environment).ready().is_ok());
    }
}
