//! The keys that sign access tokens: whether they open, and how old the one that signs is.

use std::time::Duration;

use super::database::told;
use super::finding::Findings;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::oauth::key_check::{Examined, examine};
use crate::oauth::key_ring::SIGNS_FOR;
use crate::oauth::key_shelf::KeyState;
use crate::oauth::keys::KeySource;
use crate::secret_key::SecretKey;
use crate::store::Store;

const CHECK: &str = "keys";
/// Days by which a change of keys may be late: the server may have been off.
const GRACE: Duration = Duration::from_hours(7 * 24);
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Looks at the configured key. Returns whether there is one.
pub(super) fn check_configured(config: &Config, findings: &mut Findings) -> bool {
    let tokens = &config.tokens;
    let source = KeySource {
        private_pem: tokens.private_key.as_ref().map(|key| key.expose().to_owned()),
        public_pem: tokens.public_key.clone(),
    };
    match source.read() {
        Ok(None) => return false,
        Ok(Some(_)) => findings.warning(
            CHECK,
            "OAUTH_PRIVATE_KEY signs, and nobody but you replaces it",
            "replace it every 90 days; or take it out, and the server makes and replaces keys itself",
        ),
        Err(error) => findings.problem(
            CHECK,
            told(&error),
            "put a key in PEM form into OAUTH_PRIVATE_KEY, or take it out and let the server make its own",
        ),
    }
    true
}

/// Looks at the ring of the database.
pub(super) async fn check_ring(store: &Store, secret: SecretKey, clock: &Clock, findings: &mut Findings) {
    let keys = match examine(store.clone(), secret).await {
        Ok(keys) => keys,
        Err(error) => return findings.problem(CHECK, told(&error), "look at the database"),
    };
    let Some(active) = keys.iter().find(|key| key.kept.state == KeyState::Active) else {
        return findings.warning(CHECK, "there is no signing key yet", "the first start makes one");
    };
    if !active.opens {
        return findings.problem(
            CHECK,
            "the signing key does not open: it was sealed with another SECRET_KEY",
            "put back the former SECRET_KEY (or secret.key); if it is lost: `mindflow keys rotate --leaked`",
        );
    }
    age(active, clock.now(), findings);
    let shut = keys.iter().filter(|key| !key.opens).count();
    if shut > 0 {
        findings.warning(
            "keys.others",
            format!("{shut} former or next key(s) do not open: they were sealed with another SECRET_KEY"),
            "nothing, if SECRET_KEY was changed on purpose: they are forgotten when their tokens have ended",
        );
    }
}

fn age(active: &Examined, now: Timestamp, findings: &mut Findings) {
    let since = active.kept.activated_at.unwrap_or(active.kept.created_at);
    let days = (now.as_seconds() - since.as_seconds()).max(0) / DAY_SECONDS;
    let message = format!("the key that signs is {days} day(s) old");
    if now > since.plus(SIGNS_FOR).plus(GRACE) {
        let advice = "a running server replaces it after 90 days: see that one runs; at once: `mindflow keys rotate`";
        findings.warning(CHECK, message, advice);
    } else {
        findings.ok(CHECK, message);
    }
}
