//! Mail to people: a closed set of messages, and the [`Mailer`] that brings them.
//!
//! Without a mail server (SMTP), a server in development writes the message and its link to the log, so that everything
//! can be tried; in staging and production it says plainly that it cannot send mail ([`MailError::NotConfigured`]),
//! because a link in a log would be a key under the mat.

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::config::Environment;

/// Mails that may be under way at the same time.
const MOST_UNDER_WAY: usize = 64;

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The server that it is about: its public URL.
    pub server: String,
    /// What it says.
    pub message: Message,
}

/// Everything that the server ever writes to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks to open a link, which proves that the address is theirs.
    VerifyAddress {
        /// The link; it holds a secret.
        link: String,
    },
    /// Lets them choose a new password.
    ResetPassword {
        /// The link; it holds a secret.
        link: String,
    },
    /// Their password was changed.
    PasswordChanged,
    /// A second factor is needed from now on.
    SecondFactorOn,
    /// The second factor was taken away.
    SecondFactorOff,
    /// Somebody signed in with a recovery code.
    RecoveryCodeUsed,
    /// One can sign in through an account elsewhere from now on.
    IdentityLinked {
        /// Where, such as `Google`.
        provider: String,
    },
    /// One cannot sign in through an account elsewhere any more.
    IdentityUnlinked {
        /// Where, such as `Google`.
        provider: String,
    },
    /// One can sign in with another passkey from now on.
    PasskeyAdded,
    /// One cannot sign in with a passkey any more.
    PasskeyRemoved,
    /// The same for all of them, because a new password was chosen for who had lost the old one.
    PasskeysRemoved,
}

impl Message {
    /// The subject line.
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::VerifyAddress { .. } => "Confirm your e-mail address",
            Self::ResetPassword { .. } => "Choose a new password",
            Self::PasswordChanged => "Your password was changed",
            Self::SecondFactorOn => "Two-factor sign-in is on",
            Self::SecondFactorOff => "Two-factor sign-in is off",
            Self::RecoveryCodeUsed => "A recovery code was used",
            Self::IdentityLinked { .. } => "A new way to sign in",
            Self::IdentityUnlinked { .. } => "A way to sign in was removed",
            Self::PasskeyAdded => "A passkey was added",
            Self::PasskeyRemoved => "A passkey was removed",
            Self::PasskeysRemoved => "Your passkeys were removed",
        }
    }

    /// The link that the message is about, if any; whoever holds it can use it.
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::VerifyAddress { link } | Self::ResetPassword { link } => Some(link),
            _ => None,
        }
    }
}

impl Mail {
    /// The body, as plain text.
    pub fn text(&self) -> String {
        let server = &self.server;
        let said = match &self.message {
            Message::VerifyAddress { link } => format!(
                "Please confirm that this is your address by opening this link within a day:\n\n{link}\n\nIf you did not \
                 sign up at {server}, do nothing."
            ),
            Message::ResetPassword { link } => format!(
                "Somebody, probably you, asked for a new password at {server}. To choose one, open this link within an \
                 hour:\n\n{link}\n\nIf it was not you, do nothing: your password stays as it is."
            ),
            Message::PasswordChanged => format!(
                "The password of your account at {server} was changed. All other sign-ins, connected apps and personal \
                 access tokens have ended."
            ),
            Message::SecondFactorOn => {
                format!("Signing in at {server} needs a code of your authenticator from now on.")
            }
            Message::SecondFactorOff => format!("Signing in at {server} needs no code of an authenticator any more."),
            Message::RecoveryCodeUsed => {
                format!("Somebody signed in at {server} with your password and one of your recovery codes.")
            }
            Message::IdentityLinked { provider } => {
                format!("You can sign in at {server} through your {provider} account from now on.")
            }
            Message::IdentityUnlinked { provider } => {
                format!("Nobody can sign in at {server} through your {provider} account any more.")
            }
            Message::PasskeyAdded => format!(
                "A passkey was added to your account at {server}. Whoever holds it can sign in with it, without your \
                 password."
            ),
            Message::PasskeyRemoved => format!("Nobody can sign in at {server} with one of your passkeys any more."),
            Message::PasskeysRemoved => format!(
                "All passkeys of your account at {server} were removed, because a new password was set for who had lost \
                 the old one. Sign in with the password, and add your passkeys again."
            ),
        };
        let hint = match self.message.link() {
            Some(_) => String::new(),
            None => format!("\n\nIf this was not you, choose a new password at once: {server}/oauth/forgot-password"),
        };
        format!("Hello,\n\n{said}{hint}\n")
    }
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// There is no mail server.
    #[error("this server cannot send e-mail; its operator has to name a mail server (SMTP)")]
    NotConfigured,
    /// The mail server did not take it.
    #[error("the mail server did not take the message")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
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
        let link = mail.message.link().unwrap_or_default();
        tracing::info!(mail.to = %mail.to, mail.subject = mail.message.subject(), mail.link = link, "mail (not sent)");
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

/// What a server without a mail server does with mail.
pub fn without_smtp(environment: Environment) -> Arc<dyn Mailer> {
    match environment {
        Environment::Development | Environment::Test | Environment::Testing => Arc::new(LogMailer),
        Environment::Staging | Environment::Production => Arc::new(NoMailer),
    }
}

/// Sends mail in the background, so that no answer waits for it or tells by its time whether there was any.
#[derive(Clone)]
pub struct Post {
    mailer: Arc<dyn Mailer>,
    places: Arc<Semaphore>,
    server: Arc<str>,
}

impl Post {
    /// Sends through `mailer`, in the name of the server with the public URL `server`.
    pub fn new(mailer: Arc<dyn Mailer>, server: &str) -> Self {
        Self { mailer, places: Arc::new(Semaphore::new(MOST_UNDER_WAY)), server: server.into() }
    }

    /// Whether mail can be sent at all.
    pub fn ready(&self) -> Result<(), MailError> {
        self.mailer.ready()
    }

    /// The server's public URL, to make links with.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Sends soon; what goes wrong is logged. Where no mail can be sent, nothing happens.
    pub fn send(&self, to: String, message: Message) {
        self.send_once(async move { Some((to, message)) });
    }

    /// Sends what `prepared` comes to, soon. When too much is under way already, it is dropped, and that is logged.
    pub fn send_once(&self, prepared: impl Future<Output = Option<(String, Message)>> + Send + 'static) {
        if self.mailer.ready().is_err() {
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!("a mail was dropped: too many are under way");
            return;
        };
        let (mailer, server) = (Arc::clone(&self.mailer), self.server.to_string());
        tokio::spawn(async move {
            if let Some((to, message)) = prepared.await
                && let Err(error) = mailer.send(&Mail { to, server, message }).await
            {
                tracing::error!(error = &error as &dyn StdError, "a mail was not sent");
            }
            drop(place);
        });
    }
}

#[cfg(test)]
impl Post {
    /// Waits until nothing is under way.
    pub(crate) async fn quiet(&self) {
        let all = u32::try_from(MOST_UNDER_WAY).unwrap();
        drop(self.places.acquire_many(all).await.unwrap());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tokio::sync::{Mutex, mpsc};

    use super::*;

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

    #[tokio::test]
    async fn mail_names_its_server_and_its_link() {
        let letterbox = Arc::new(Letterbox::default());
        let post = Post::new(letterbox.clone(), "https://mindflow.example");

        post.send("ada@example.org".to_owned(), Message::ResetPassword { link: "https://x/?token=1".to_owned() });
        post.send("ada@example.org".to_owned(), Message::PasswordChanged);

        let (first, second) = (letterbox.next().await, letterbox.next().await);
        let (first, second) = if first.message.link().is_some() { (first, second) } else { (second, first) };
        assert_eq!((first.to.as_str(), first.message.subject()), ("ada@example.org", "Choose a new password"));
        assert!(first.text().contains("https://x/?token=1") && first.text().contains("https://mindflow.example"));
        assert!(second.text().contains("If this was not you"));
    }

    #[tokio::test]
    async fn a_server_in_production_without_a_mail_server_says_so() {
        for (environment, ready) in [(Environment::Production, false), (Environment::Staging, false)] {
            assert_eq!(without_smtp(environment).ready().is_ok(), ready);
        }
        for environment in [Environment::Development, Environment::Test, Environment::Testing] {
            assert!(without_smtp(environment).ready().is_ok());
        }
    }
}
