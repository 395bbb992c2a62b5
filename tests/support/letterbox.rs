//! Where the mail of a test's server ends up.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mindflow::mail::{Mail, MailError, Mailer, Message};
use tokio::sync::{Mutex, mpsc};

/// Keeps what would have been sent.
pub(crate) struct Letterbox {
    sender: mpsc::UnboundedSender<Mail>,
    mails: Mutex<mpsc::UnboundedReceiver<Mail>>,
    closed: AtomicBool,
}

impl Default for Letterbox {
    fn default() -> Self {
        let (sender, mails) = mpsc::unbounded_channel();
        Self { sender, mails: Mutex::new(mails), closed: AtomicBool::new(false) }
    }
}

impl Letterbox {
    /// Waits for the next mail.
    pub(crate) async fn next(&self) -> Mail {
        self.mails.lock().await.recv().await.unwrap()
    }

    /// Waits for the next mail with a link to choose a new password; what comes before it is thrown away.
    pub(crate) async fn next_reset(&self) -> Mail {
        loop {
            let mail = self.next().await;
            if matches!(mail.message, Message::ResetPassword { .. }) {
                return mail;
            }
        }
    }

    /// From now on no mail can be sent.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether nothing has come.
    pub(crate) async fn is_empty(&self) -> bool {
        self.mails.lock().await.is_empty()
    }
}

#[async_trait]
impl Mailer for Letterbox {
    fn ready(&self) -> Result<(), MailError> {
        if self.closed.load(Ordering::Relaxed) { Err(MailError::NotConfigured) } else { Ok(()) }
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.sender.send(mail.clone()).map_err(|error| MailError::Refused(Box::new(error)))
    }
}
