//! What an App finds outside of its process and its configuration: here the world can be another one.

use std::sync::Arc;

use super::StartError;
use crate::clock::Clock;
use crate::config::Config;
use crate::mail::{self, Mailer};

/// The world around an [`App`](super::App).
#[derive(Clone)]
pub struct Outside {
    /// What time it is.
    pub clock: Clock,
    /// Who brings mail to people.
    pub mailer: Arc<dyn Mailer>,
}

impl Outside {
    /// This machine's clock, and what the configuration says of mail.
    ///
    /// # Errors
    ///
    /// When the mail server's settings cannot be used.
    pub fn of(config: &Config) -> Result<Self, StartError> {
        Ok(Self { clock: Clock::system(), mailer: mail::mailer_of(config)? })
    }
}
