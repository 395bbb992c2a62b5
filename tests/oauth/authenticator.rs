//! What somebody carries in their pocket for the second factor.

use std::time::Duration;

use serde_json::json;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::connector::text;
use crate::support::app::{Actor, TestApp};

/// An authenticator that was set up.
pub(crate) struct Authenticator(Totp);

impl Authenticator {
    /// Takes the secret as people type it.
    pub(crate) fn new(secret: &str) -> Self {
        let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
        Self(totp.with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap())
    }

    /// What it shows now.
    pub(crate) fn code(&self, app: &TestApp) -> String {
        self.0.generate(u64::try_from(app.clock.now().as_seconds()).unwrap()).to_string()
    }
}

/// Sets one up for somebody who is signed in; gives the recovery codes, too. The code that confirmed it is over.
pub(crate) async fn enrol(app: &TestApp, by: &Actor<'_>) -> (Authenticator, Vec<String>) {
    let begun = by.send(reqwest::Method::POST, "/api/auth/two-factor", None, &[]).await.good();
    let device = Authenticator::new(text(&begun, "secret"));
    let confirmed = by.post("/api/auth/two-factor/confirm", &json!({ "code": device.code(app) })).await.good();
    app.advance(Duration::from_mins(1));
    (device, serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap())
}
