//! Rows in every table: many people, of whom everyone has some of everything.

use crate::raw::Raw;

/// Later than any moment of these tests.
pub(crate) const FAR: i64 = 4_000_000_000_000_000;
const SOME: usize = 8;
const MANY: usize = 16;

/// What differs between the databases: random ids, hashes and texts, and a table `n` of the numbers 1 to `count`.
struct Words {
    id: &'static str,
    hash: &'static str,
    text: &'static str,
    numbers: fn(usize) -> String,
}

impl Words {
    fn of(raw: &Raw) -> Self {
        match raw {
            Raw::Sqlite(_) => SQLITE,
            Raw::Postgres(_) => POSTGRES,
        }
    }
}

const SQLITE: Words =
    Words { id: "randomblob(16)", hash: "randomblob(32)", text: "hex(randomblob(16))", numbers: sqlite_numbers };
const POSTGRES: Words = Words {
    id: "gen_random_uuid()",
    hash: "sha256(gen_random_uuid()::text::bytea)",
    text: "gen_random_uuid()::text",
    numbers: postgres_numbers,
};

fn sqlite_numbers(count: usize) -> String {
    format!("(WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < {count}) SELECT i FROM c) n")
}

fn postgres_numbers(count: usize) -> String {
    format!("generate_series(1, {count}) n (i)")
}

/// Puts rows into every table of an empty schema.
#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(crate) async fn fill(raw: &Raw, people: usize) {
    let Words { id, hash, text, numbers } = Words::of(raw);
    let (people, some, many) = (numbers(people), numbers(SOME), numbers(MANY));
    let statements = [
        format!(
            "INSERT INTO users (id, email, email_key, password_hash, full_name, time_zone, windows, policy, role, status,
                                data_version, created_at, updated_at)
             SELECT {id}, 'p' || i || '@example.org', 'p' || i || '@example.org', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNoc29tZWhhc2g', NULL,
                    'Europe/Vienna', NULL, NULL, 'user', 'active', 0, i, i FROM {people}"
        ),
        format!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, expires_at, cookie_hash, authenticated_at, methods)
             SELECT {id}, u.id, i, i, {FAR}, {hash}, i, 'pwd' FROM users u CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO refresh_tokens (token_hash, session_id, created_at) SELECT {hash}, id, created_at FROM sessions"
        ),
        format!(
            "INSERT INTO personal_tokens (id, user_id, name, token_hash, scopes, created_at)
             SELECT {id}, u.id, 'token ' || i, {hash}, 'read', i FROM users u CROSS JOIN {some}"
        ),
        format!("INSERT INTO invites SELECT {hash}, i, {FAR} FROM {some}"),
        format!(
            "INSERT INTO audit_log (id, user_id, actor, action, entity, created_at)
             SELECT {id}, u.id, 'session', 'task.created', 'task', i FROM users u CROSS JOIN {many}"
        ),
        format!(
            "INSERT INTO audit_log (id, actor, action, entity, created_at)
             SELECT {id}, 'anonymous', 'session.refused', 'session', i FROM {many}"
        ),
        format!(
            "INSERT INTO projects SELECT {id}, u.id, 'Project ' || i, 'project ' || i, NULL, 1, i, i
               FROM users u CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO labels SELECT {id}, u.id, 'Label ' || i, 'label ' || i, 1, i, i FROM users u CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO tasks (id, user_id, project_id, title, status, priority, due_on, due_at, search_title,
                                search_body, version, created_at, updated_at)
             SELECT {id}, p.user_id, p.id, 'Task ' || i, 'pending', 1 + i % 5, '2026-12-24', i * 1000000,
                    'task ' || i, 'with words', 1, i, i FROM projects p CROSS JOIN {}",
            numbers(MANY / SOME)
        ),
        "INSERT INTO task_labels SELECT t.id, l.id FROM tasks t JOIN labels l ON l.user_id = t.user_id
          WHERE l.name_key IN ('label 1', 'label 2')"
            .to_owned(),
        format!(
            "INSERT INTO attachments (id, user_id, task_id, object_key, file_name, media_type, size_bytes, sha256, created_at)
             SELECT {id}, t.user_id, t.id, {text}, 'a.txt', 'text/plain', 1, {hash}, i FROM tasks t CROSS JOIN {}",
            numbers(2)
        ),
        format!("INSERT INTO object_removals SELECT 'key ' || i, 'doomed', {FAR} FROM {some}"),
        format!(
            "INSERT INTO undo_tokens SELECT {hash}, u.id, 'task.created', '[]', i, {FAR}, NULL, 'mcp', i
               FROM users u CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO receipts SELECT u.id, 'key ' || i, {hash}, '{{}}', i, {FAR} FROM users u CROSS JOIN {some}"
        ),
        format!("INSERT INTO events SELECT u.id, i, 1, '{{}}', i FROM users u CROSS JOIN {some}"),
    ];
    for statement in statements.into_iter().chain(of_oauth(raw)) {
        raw.run(&statement).await;
    }
}

/// What belongs to signing in with MindFlow; one client of each person's.
#[expect(clippy::too_many_lines, reason = "one table after the other")]
fn of_oauth(raw: &Raw) -> Vec<String> {
    let Words { id, hash, numbers, .. } = Words::of(raw);
    let some = numbers(SOME);
    vec![
        format!(
            "INSERT INTO oauth_keys (kid, alg, state, sealed, created_at) SELECT 'key ' || i, 'RS256', 'retired', {hash}, i
               FROM {some}"
        ),
        format!(
            "INSERT INTO oauth_clients (id, client_id, kind, name, auth_method, metadata, address, created_at, updated_at)
             SELECT {id}, u.email, 'registered', 'A client', 'none', '{{}}', '192.0.2.1', u.created_at, u.created_at FROM users u"
        ),
        format!(
            "INSERT INTO oauth_grants (id, user_id, client_ref, scopes, resources, created_at, last_used_at, expires_at)
             SELECT {id}, u.id, c.id, 'read write', 'api mcp', i, i, {FAR}
               FROM users u JOIN oauth_clients c ON c.client_id = u.email CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO oauth_refresh_tokens (token_hash, grant_id, created_at) SELECT {hash}, id, created_at FROM oauth_grants"
        ),
        format!(
            "INSERT INTO oauth_codes (code_hash, grant_id, user_id, client_ref, redirect_uri, challenge, scopes, resources,
                                      authenticated_at, methods, created_at, expires_at)
             SELECT {hash}, {id}, user_id, client_ref, 'https://client.example/', 'x', scopes, resources, created_at, 'pwd',
                    created_at, expires_at FROM oauth_grants"
        ),
        "INSERT INTO oauth_consents (user_id, client_ref, resources, scopes, created_at, updated_at)
         SELECT DISTINCT user_id, client_ref, resources, scopes, 1, 1 FROM oauth_grants"
            .to_owned(),
        format!(
            "INSERT INTO oauth_devices (device_hash, user_code_hash, client_ref, scopes, resources, state, user_id,
                                        interval_seconds, created_at, expires_at)
             SELECT {hash}, {hash}, client_ref, scopes, resources, 'approved', user_id, 5, created_at, expires_at
               FROM oauth_grants"
        ),
        format!("INSERT INTO oauth_assertions SELECT {hash}, {FAR} FROM {some}"),
        format!("INSERT INTO email_tokens SELECT {hash}, id, 'verify', email_key, created_at, {FAR} FROM users"),
        format!("INSERT INTO second_factors (user_id, sealed_secret, created_at) SELECT id, {hash}, created_at FROM users"),
        format!("INSERT INTO recovery_codes (user_id, code_hash) SELECT u.id, {hash} FROM users u CROSS JOIN {some}"),
        format!(
            "INSERT INTO identities (id, user_id, provider, subject, created_at)
             SELECT {id}, id, 'google', email, created_at FROM users"
        ),
        format!("INSERT INTO duties (name, due_at) SELECT 'duty ' || i, i FROM {some}"),
        format!(
            "INSERT INTO mails (id, user_id, kind, sealed, next_at, created_at)
             SELECT {id}, id, 'password_changed', {hash}, created_at, created_at FROM users"
        ),
        "INSERT INTO digests (user_id, local_date, created_at) SELECT id, '2026-03-23', created_at FROM users".to_owned(),
        format!(
            "INSERT INTO passkeys (id, user_id, credential_id, rp_id, credential, name, sign_count, created_at)
             SELECT {id}, id, {hash}, 'mindflow.example', '{{}}', 'Passkey', 0, created_at FROM users"
        ),
        format!("INSERT INTO passkey_ceremonies SELECT {hash}, {FAR} FROM {some}"),
        "INSERT INTO policy_ledger VALUES (1, 7)".to_owned(),
        format!(
            "INSERT INTO policy_versions (id, policy, version, source, origin, author_id, message, created_at)
             SELECT {id}, 'default', email, 'fn', 'api', id, '', created_at FROM users"
        ),
        "INSERT INTO policy_approvals SELECT id, author_id, created_at FROM policy_versions".to_owned(),
        format!(
            "INSERT INTO policy_activations (number, policy, version, action, actor, created_at)
             SELECT i, 'default', 'x', 'file', 'file', i FROM {some}"
        ),
        "INSERT INTO policy_candidates (policy, kind, version, salt, percent, users, roles, state, started_at, updated_at)
         VALUES ('default', 'shadow', 'x', 'x', 10, '[]', '[]', 'running', 1, 1)"
            .to_owned(),
        format!(
            "INSERT INTO policy_decisions (id, user_id, policy, version, data_version, shown_at, time_zone, context,
                                           candidates, total, task_id, snoozes)
             SELECT {id}, u.id, 'default', 'x', 0, i, 'UTC', '{{}}', '[]', 1, {id}, 0 FROM users u CROSS JOIN {some}"
        ),
    ]
}
