//! Signing in with MindFlow: the authorization server, and the guard of what it protects.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod authenticator;
mod authorize;
mod browser;
mod client_auth;
mod connector;
mod consent;
mod cross_origin;
mod csrf;
mod device;
mod device_page;
mod discovery;
mod documents;
mod guard;
mod id_token_hint;
mod identities_page;
mod keys;
mod login_cli;
mod passkey_device;
mod passkey_pages;
mod passkeys;
mod provider;
mod races;
mod recovery;
mod redirects;
mod refresh;
mod refusals;
mod registration;
mod revocation;
mod second_factor_page;
mod sessions;
mod sign_in_page;
mod site;
mod token_requests;
mod tokens;
mod two_factor;
mod upstream;
mod userinfo;
