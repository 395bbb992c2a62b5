//! Mail to people: a closed set of messages, a queue in the database, and the [`Mailer`] that brings them.
//!
//! - [`Message`], [`letter`]: what is written; [`digest`]: what there is to do today.
//! - [`Post`]: takes mail, sealed, into the transaction that it is about; [`Courier`]: sends what waits, on every instance.
//! - [`smtp`]: the only user of lettre.
//!
//! Without a mail server (SMTP), a server in development writes the message and its link to the log, so that everything
//! can be tried; in staging and production it says plainly that it cannot send mail ([`MailError::NotConfigured`]),
//! because a link in a log would be a key under the mat.

mod courier;
pub mod digest;
pub mod letter;
mod message;
mod post;
pub mod smtp;
#[cfg(test)]
pub(crate) mod tests;

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::config::{Config, Environment};

pub use courier::Courier;
pub use message::Message;
pub use post::{Letter, Post, PostParts, Waiting};
use smtp::{SmtpMailer, SmtpSetupError};

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its id, the same with each attempt to send it.
    pub id: Uuid,
    /// The address.
    pub to: String,
    /// What the person is called.
    pub name: Option<String>,
    /// The server that it is about: its public URL.
    pub server: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// What it says.
    pub message: Message,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// There is no mail server.
    #[error("this server cannot send e-mail; its operator has to name a mail server (SMTP)")]
    NotConfigured,
    /// It will never be taken: there is no such address, or the message is unwelcome.
    #[error("the mail server refused the message")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// It was not taken now; another time it may be.
    #[error("the mail server did not take the message")]
    Delayed(#[source] Box<dyn StdError + Send + Sync>),
}

/// Brings mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Whether mail can be sent at all; asked before something is promised that needs it.
    ///
    /// # Errors
    ///
    /// [`MailError::NotConfigured`].
    fn ready(&self) -> Result<(), MailError>;

    /// Sends one mail.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

/// Writes mail to the log, links included: for development and tests alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogMailer;

#[async_trait]
impl Mailer for LogMailer {
    fn ready(&self) -> Result<(), MailError> {
        Ok(())
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let (link, kind) = (mail.message.link().unwrap_or_default(), mail.message.kind());
        tracing::info!(mail.to = %mail.to, mail.kind = kind, mail.link = link, "mail (not sent)");
        Ok(())
    }
}

/// Sends nothing, and says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    fn ready(&self) -> Result<(), MailError> {
        Err(MailError::NotConfigured)
    }

    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        Err(MailError::NotConfigured)
    }
}

/// What brings mail by this configuration.
///
/// # Errors
///
/// When the certificates or the sender's address cannot be used.
pub fn mailer_of(config: &Config) -> Result<Arc<dyn Mailer>, SmtpSetupError> {
    match &config.smtp {
        Some(smtp) => Ok(Arc::new(SmtpMailer::new(smtp, config.server.public_url(config.server.port).as_str())?)),
        None => Ok(without_smtp(config.server.environment)),
    }
}

/// What a server without a mail server does with mail.
pub fn without_smtp(environment: Environment) -> Arc<dyn Mailer> {
    match environment {
        Environment::Development | Environment::Test | Environment::Testing => Arc::new(LogMailer),
        Environment::Staging | Environment::Production => Arc::new(NoMailer),
    }
}
