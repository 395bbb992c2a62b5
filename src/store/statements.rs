//! Statements in two dialects, and the list of them all that a test prepares on both databases.

use super::Dialect;

/// A statement whose text differs between the dialects; the constant's comment says why.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl Sql {
    /// A statement that both understand.
    pub const fn same(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }

    /// The text for one database.
    pub const fn on(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// Every module's statements, by name.
pub const ALL_STATEMENTS: &[&[(&str, Sql)]] = &[
    super::accounts::STATEMENTS,
    super::attachments::STATEMENTS,
    super::audit::STATEMENTS,
    super::callers::STATEMENTS,
    super::changes::STATEMENTS,
    super::digests::STATEMENTS,
    super::duties::STATEMENTS,
    super::dump::STATEMENTS,
    super::email_tokens::STATEMENTS,
    super::endings::STATEMENTS,
    super::events::STATEMENTS,
    super::groups::STATEMENTS,
    super::identities::STATEMENTS,
    super::invites::STATEMENTS,
    super::load::STATEMENTS,
    super::mails::STATEMENTS,
    super::oauth_clients::STATEMENTS,
    super::oauth_codes::STATEMENTS,
    super::oauth_consents::STATEMENTS,
    super::oauth_devices::STATEMENTS,
    super::oauth_grants::STATEMENTS,
    super::oauth_keys::STATEMENTS,
    super::oauth_refresh_tokens::STATEMENTS,
    super::passkeys::STATEMENTS,
    super::policy_candidates::STATEMENTS,
    super::policy_decisions::STATEMENTS,
    super::policy_versions::STATEMENTS,
    super::samples::STATEMENTS,
    super::search_words::STATEMENTS,
    super::second_factors::STATEMENTS,
    super::sessions::STATEMENTS,
    super::task_lists::STATEMENTS,
    super::tasks::STATEMENTS,
    super::tokens::STATEMENTS,
    super::transfer::STATEMENTS,
];
