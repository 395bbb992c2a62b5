//! Rows in every table: many people, of whom everyone has some of everything.

use crate::raw::Raw;

/// Later than any moment of these tests.
pub(crate) const FAR: i64 = 4_000_000_000_000_000;
const SOME: usize = 8;
const MANY: usize = 16;

/// What differs between the databases: random ids and hashes, and a table `n` of the numbers 1 to `count`.
struct Words {
    id: &'static str,
    hash: &'static str,
    numbers: fn(usize) -> String,
}

const SQLITE: Words = Words { id: "randomblob(16)", hash: "randomblob(32)", numbers: sqlite_numbers };
const POSTGRES: Words =
    Words { id: "gen_random_uuid()", hash: "sha256(gen_random_uuid()::text::bytea)", numbers: postgres_numbers };

fn sqlite_numbers(count: usize) -> String {
    format!("(WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < {count}) SELECT i FROM c) n")
}

fn postgres_numbers(count: usize) -> String {
    format!("generate_series(1, {count}) n (i)")
}

/// Puts rows into every table of an empty schema.
pub(crate) async fn fill(raw: &Raw, people: usize) {
    let Words { id, hash, numbers } = match raw {
        Raw::Sqlite(_) => SQLITE,
        Raw::Postgres(_) => POSTGRES,
    };
    let (people, some, many) = (numbers(people), numbers(SOME), numbers(MANY));
    let statements = [
        format!(
            "INSERT INTO users SELECT {id}, 'p' || i || '@example.org', 'p' || i || '@example.org', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNoc29tZWhhc2g', NULL,
                    'Europe/Vienna', NULL, NULL, 'user', 'active', 0, i, i FROM {people}"
        ),
        format!("INSERT INTO sessions SELECT {id}, u.id, NULL, NULL, i, i, {FAR} FROM users u CROSS JOIN {some}"),
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
            "INSERT INTO undo_tokens SELECT {hash}, u.id, 'task.created', '[]', i, {FAR}, NULL
               FROM users u CROSS JOIN {some}"
        ),
        format!(
            "INSERT INTO receipts SELECT u.id, 'key ' || i, {hash}, '{{}}', i, {FAR} FROM users u CROSS JOIN {some}"
        ),
    ];
    for statement in statements {
        raw.run(&statement).await;
    }
}
