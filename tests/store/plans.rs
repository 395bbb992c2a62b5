//! No statement about one user's data reads another user's rows.

use std::collections::HashMap;

use mindflow::store::{ALL_STATEMENTS, Sql};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::raw::{Raw, on_pool};
use crate::seed::{self, FAR};
use crate::support::databases::{TestDatabase, both_databases};

/// Concern the whole server, or are asked for several people's requests at once.
const SERVER_WIDE: [&str; 96] = [
    "LIST_DECISIONS",
    "COUNT_DECISIONS",
    "COUNT_OUTCOMES",
    "INSERT_DECISIONS",
    "SETTLE_DECISIONS",
    "SETTLE_OWN_DECISIONS",
    "DELETE_OLD_DECISIONS",
    "FIND_CANDIDATE",
    "LIST_CANDIDATE_VERSIONS",
    "PUT_CANDIDATE",
    "ADVANCE_CANDIDATE",
    "END_CANDIDATE",
    "ADD_TRIAL_COUNTS",
    "COUNT_KNOWN_USERS",
    "LIST_SAMPLED_USERS",
    "BOUND_USERS",
    "LIST_SAMPLED_TASKS",
    "LIST_POLICY_VERSIONS",
    "COUNT_POLICY_VERSIONS",
    "FIND_POLICY_VERSION",
    "FIND_POLICY_SOURCE",
    "LIST_POLICY_NAMES",
    "INSERT_POLICY_VERSION",
    "DELETE_POLICY_DRAFT",
    "APPROVE_POLICY_VERSION",
    "LIST_POLICY_APPROVALS",
    "TURN_POLICY_LEDGER",
    "READ_POLICY_LEDGER",
    "INSERT_POLICY_ACTIVATION",
    "FIND_LAST_ACTIVATION",
    "FIND_ACTIVATION",
    "LIST_POLICY_ACTIVATIONS",
    "COUNT_POLICY_ACTIVATIONS",
    "LIST_CURRENT_ACTIVATIONS",
    "FIND_GRANT_CALLERS",
    "LIST_KEYS",
    "INSERT_KEY",
    "RETIRE_KEY",
    "ACTIVATE_KEY",
    "DELETE_RETIRED_KEYS",
    "DELETE_KEYS",
    "FIND_SESSION_CALLERS",
    "FIND_TOKEN_CALLERS",
    "ANY_USER",
    "LIST_CLIENTS",
    "LIST_USERS",
    "LIST_WORDS",
    "SET_WORDS",
    "COUNT_UNUSED",
    "COUNT_UNUSED_FROM",
    "DELETE_EXPIRED_ASSERTIONS",
    "DELETE_EXPIRED_CEREMONIES",
    "DELETE_EXPIRED_CODES",
    "DELETE_EXPIRED_DEVICES",
    "DELETE_EXPIRED_GRANTS",
    "DELETE_EXPIRED_EMAIL_TOKENS",
    "DELETE_EXPIRED_INVITES",
    "DELETE_EXPIRED_RECEIPTS",
    "DELETE_EXPIRED_SESSIONS",
    "DELETE_EXPIRED_UNDO",
    "DELETE_OLDEST_UNUSED",
    "DELETE_OLD_ATTEMPTS",
    "DELETE_OLD_AUDIT",
    "FIND_DUTY",
    "LIST_DUTIES",
    "INSERT_DUTY",
    "TAKE_DUTY",
    "HOLD_DUTY",
    "FINISH_DUTY",
    "FAIL_DUTY",
    "RELEASE_DUTIES",
    "LIST_DUE_DIGESTS",
    "DELETE_OLD_DIGESTS",
    "CLAIM_MAILS",
    "FIND_NEXT_MAIL",
    "DELETE_SENT_MAIL",
    "DELAY_MAIL",
    "BURY_MAIL",
    "LIST_MAILS",
    "COUNT_MAILS",
    "RETRY_MAIL",
    "RETRY_DEAD_MAILS",
    "DISCARD_MAIL",
    "DISCARD_DEAD_MAILS",
    "DELETE_OLD_EVENTS",
    "DELETE_UNUSED_CLIENTS",
    "INSERT_INVITE",
    "SPEND_CEREMONY",
    "ANNOUNCE_UPLOAD",
    "CLAIM_UPLOAD",
    "DOOM_OBJECTS",
    "FORGET_REMOVALS",
    "GIVE_UP_UPLOAD",
    "PURGE_ATTACHMENTS",
    "TAKE_REMOVALS",
    "SPEND_INVITE",
];

/// Read and write the whole database, for backups.
const WHOLE: [&str; 13] = [
    "APPLIED",
    "COPY_FILE",
    "COUNT_SERVERS",
    "DANGLING",
    "EXPORT_SNAPSHOT",
    "FOREIGN_KEYS",
    "FORGET_KEYS",
    "IS_FILE_NAMED",
    "LIST_FILES",
    "MAY_WAIT",
    "MIND_KEYS",
    "TAKE_ANY_TIME",
    "WAIT_FOR_LOCKS",
];

/// A value for a parameter.
#[derive(Clone, Copy, Debug)]
enum Arg {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<&'static str>),
    Hash,
}

use Arg::{Hash, Id, Int, Text};

/// Somebody, and one of each of their things.
struct Person {
    user: Uuid,
    task: Uuid,
    label: Uuid,
    project: Uuid,
    session: Uuid,
    token: Uuid,
    grant: Uuid,
    client: Uuid,
}

impl Person {
    async fn find(raw: &Raw) -> Self {
        let user = one_id(raw, "SELECT id FROM users WHERE email = 'p500@example.org'", None).await;
        Self {
            user,
            task: one_id(raw, "SELECT id FROM tasks WHERE user_id = $1 LIMIT 1", Some(user)).await,
            label: one_id(raw, "SELECT id FROM labels WHERE user_id = $1 AND name = 'Label 1'", Some(user)).await,
            project: one_id(raw, "SELECT id FROM projects WHERE user_id = $1 LIMIT 1", Some(user)).await,
            session: one_id(raw, "SELECT id FROM sessions WHERE user_id = $1 LIMIT 1", Some(user)).await,
            token: one_id(raw, "SELECT id FROM personal_tokens WHERE user_id = $1 LIMIT 1", Some(user)).await,
            grant: one_id(raw, "SELECT id FROM oauth_grants WHERE user_id = $1 LIMIT 1", Some(user)).await,
            client: one_id(raw, "SELECT client_ref FROM oauth_grants WHERE user_id = $1 LIMIT 1", Some(user)).await,
        }
    }

    /// The parameters of every statement that is about one person's data.
    fn arguments(&self) -> HashMap<&'static str, Vec<Arg>> {
        let mut all = HashMap::new();
        self.people(&mut all);
        self.sign_ins(&mut all);
        self.proofs(&mut all);
        self.tasks(&mut all);
        self.attachments(&mut all);
        self.lists(&mut all);
        self.groups(&mut all);
        self.changes(&mut all);
        self.transfer(&mut all);
        self.decisions(&mut all);
        self.grants(&mut all);
        self.clients(&mut all);
        all
    }

    fn people(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        all.extend([
            ("INSERT_USER", vec![user, text, text, text, text, text, text, text, text, text, now, now, now, now]),
            ("FIND_USER", vec![user]),
            ("LOCK_USER", vec![user]),
            ("FIND_USER_BY_EMAIL", vec![Text(Some("p500@example.org"))]),
            ("UPDATE_PROFILE", vec![user, text, text, text, text, now, Text(Some("off")), now, text]),
            ("MOVE_DIGEST", vec![user, now, now]),
            ("END_DIGEST", vec![user, now]),
            ("INSERT_DIGEST", vec![user, text, now]),
            ("FIND_LAST_DIGEST", vec![user]),
            ("LIST_COMPLETED_SINCE", vec![user, now, Int(Some(10))]),
            ("SET_PASSWORD", vec![user, text, now]),
            ("SET_ROLE", vec![user, text, now]),
            ("SET_STATUS", vec![user, text, now]),
            ("VERIFY_EMAIL", vec![user, now]),
            ("DELETE_USER", vec![user]),
            ("BUMP_DATA_VERSION", vec![user]),
            ("INSERT_AUDIT", vec![user, user, text, user, text, text, user, text, text, text, now]),
            ("LIST_AUDIT", vec![user, Int(Some(50)), Id(Some(Uuid::max())), Int(Some(51))]),
            ("COUNT_AUDIT", vec![user]),
        ]);
    }

    fn sign_ins(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        let (session, token) = (Id(Some(self.session)), Id(Some(self.token)));
        let page = [Int(Some(FAR)), Id(Some(Uuid::max())), Int(Some(51))];
        all.extend([
            ("FIND_SESSION_CALLER", vec![session]),
            ("FIND_TOKEN_CALLER", vec![Hash]),
            ("INSERT_SESSION", vec![session, user, text, text, now, now, now, Hash, now, text]),
            ("FIND_BROWSER", vec![Hash]),
            ("DELETE_BROWSER", vec![Hash]),
            ("EXTEND_BROWSER", vec![session, user, now, now]),
            ("FIND_CONSENTS", vec![user, user]),
            ("PUT_CONSENT", vec![user, user, text, text, now]),
            ("LIST_SESSIONS", [&[user, now][..], &page].concat()),
            ("COUNT_SESSIONS", vec![user, now]),
            ("FIND_SESSION_PROOF", vec![session, user]),
            ("DELETE_SESSION", vec![session, user]),
            ("DELETE_OTHER_SESSIONS", vec![user, session]),
            ("TOUCH_SESSION", vec![session, user, now]),
            ("INSERT_REFRESH", vec![Hash, session, now]),
            ("FIND_REFRESH", vec![Hash]),
            ("SPEND_REFRESH", vec![Hash, now, Hash, Hash]),
            ("INSERT_TOKEN", vec![token, user, text, Hash, text, now, now, now]),
            ("LIST_TOKENS", [&[user][..], &page].concat()),
            ("COUNT_TOKENS", vec![user]),
            ("DELETE_TOKEN", vec![token, user]),
            ("TOUCH_TOKEN", vec![token, user, now]),
        ]);
    }

    fn proofs(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        let page = [Int(Some(FAR)), Id(Some(Uuid::max())), Int(Some(51))];
        all.extend([
            ("INSERT_MAIL", vec![user, user, text, Hash, now, now]),
            ("INSERT_EMAIL_TOKEN", vec![Hash, user, text, text, now, now]),
            ("FIND_EMAIL_TOKEN", vec![Hash, text, now]),
            ("SPEND_EMAIL_TOKEN", vec![Hash, text, now]),
            ("COUNT_EMAIL_TOKENS", vec![user, text, now]),
            ("DELETE_EMAIL_TOKENS", vec![user, text]),
            ("BEGIN_SECOND_FACTOR", vec![user, Hash, now]),
            ("FIND_SECOND_FACTOR", vec![user]),
            ("CONFIRM_SECOND_FACTOR", vec![user, now]),
            ("SPEND_STEP", vec![user, now]),
            ("DELETE_SECOND_FACTOR", vec![user]),
            ("INSERT_RECOVERY_CODE", vec![user, Hash]),
            ("SPEND_RECOVERY_CODE", vec![user, Hash, now]),
            ("COUNT_RECOVERY_CODES", vec![user]),
            ("DELETE_RECOVERY_CODES", vec![user]),
            ("INSERT_IDENTITY", vec![user, user, text, text, text, now, now]),
            ("FIND_IDENTITY", vec![text, text]),
            ("LIST_IDENTITIES", [&[user][..], &page].concat()),
            ("COUNT_IDENTITIES", vec![user]),
            ("TOUCH_IDENTITY", vec![user, user, now, text]),
            ("DELETE_IDENTITY", vec![user, user]),
            ("DELETE_IDENTITIES", vec![user, now]),
            ("INSERT_PASSKEY", vec![user, user, Hash, text, text, text, now, now, now]),
            ("FIND_PASSKEY", vec![user, Hash]),
            ("LIST_PASSKEYS", [&[user][..], &page].concat()),
            ("COUNT_PASSKEYS", vec![user]),
            ("COUNT_PASSKEYS_FOR", vec![user, text]),
            ("RENAME_PASSKEY", vec![user, user, text]),
            ("USE_PASSKEY", vec![user, user, now, text, now]),
            ("DELETE_PASSKEY", vec![user, user]),
            ("DELETE_PASSKEYS", vec![user]),
            ("END_GRANTS", vec![user]),
            ("END_CODES", vec![user]),
            ("END_DEVICES", vec![user]),
            ("END_CONSENTS", vec![user]),
            ("END_TOKENS", vec![user]),
        ]);
    }

    fn tasks(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        let (task, ids) = (Id(Some(self.task)), Text(Some(r#"["01890a5d-ac96-774b-bcce-b302099a8057"]"#)));
        let (no_id, none) = (Id(None), Int(None));
        let columns = vec![
            task, user, no_id, no_id, text, text, text, now, text, now, now, text, none, now, none, text, text, now,
            now, now, none,
        ];
        all.extend([
            ("FIND_TASK", vec![user, task]),
            ("FIND_TASKS", vec![user, ids]),
            ("FIND_SUBTREE", vec![user, task]),
            ("FIND_ANCESTORS", vec![user, task]),
            ("INSERT_TASK", columns.clone()),
            ("UPDATE_TASK", columns),
            ("INSERT_MISSING_LABELS", vec![user, Text(Some("[]")), now]),
            ("CLEAR_LABELS", vec![user, task]),
            ("ATTACH_LABELS", vec![user, task, Text(Some(r#"["label 1"]"#))]),
            ("LIST_DUE_DAYS", vec![user]),
            ("MOVE_DUE_DAYS", vec![user, Text(Some(r#"[{"on": "2026-12-24", "at": 1}]"#))]),
            ("LIST_CANDIDATES", vec![user]),
            ("LIST_DELETED", vec![user, Int(Some(1)), Int(Some(10))]),
        ]);
    }

    fn attachments(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, task, now, text) = (Id(Some(self.user)), Id(Some(self.task)), Int(Some(1)), Text(Some("x")));
        let (attachment, ids) = (Id(Some(self.task)), Text(Some(r#"["01890a5d-ac96-774b-bcce-b302099a8057"]"#)));
        all.extend([
            ("INSERT_ATTACHMENT", vec![attachment, user, task, text, text, text, now, Hash, now]),
            ("FIND_ATTACHMENT", vec![user, attachment]),
            ("FIND_SHARED_ATTACHMENT", vec![attachment]),
            ("LIST_ATTACHMENTS", vec![user, task, Int(Some(10)), attachment, Int(Some(51))]),
            ("COUNT_ATTACHMENTS", vec![user, task]),
            ("SUM_ATTACHMENTS", vec![user]),
            ("EXPORT_ATTACHMENTS", vec![user]),
            ("SET_ATTACHMENT_GONE", vec![user, attachment, now]),
            ("FOLLOW_TASK", vec![user, task, now]),
            ("COUNT_ATTACHED", vec![user, ids]),
            ("DOOM_OBJECTS_OF_USER", vec![user]),
            ("DOOM_OBJECTS_OF_TASKS", vec![user, ids]),
        ]);
    }

    fn lists(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let status = Text(Some("pending"));
        let plain = [
            Id(Some(self.user)),
            status,
            status,
            status,
            status,
            Text(None),
            Id(None),
            Id(None),
            Int(None),
            Int(None),
            Int(None),
            Text(None),
        ];
        let next = [Int(Some(60)), Id(Some(self.task)), Int(Some(51))];
        for name in [
            "LIST_BY_CREATED",
            "LIST_BY_CREATED_DESC",
            "LIST_BY_DUE",
            "LIST_BY_DUE_DESC",
            "LIST_BY_PRIORITY",
            "LIST_BY_PRIORITY_DESC",
        ] {
            all.insert(name, [&plain[..], &next].concat());
        }
        all.insert("COUNT_TASKS", plain.to_vec());
        all.insert("LIST_TASK_IDS", plain.to_vec());
        let some = [Id(Some(self.user)), status, status, status, status];
        all.insert("FIND_SAME_TITLE", [&some[..], &[Text(Some("task")), Text(Some("task")), Int(Some(10))]].concat());
        all.insert("FIND_WORDLESS", [&some[..], &[Int(Some(200))]].concat());
        let mut narrow = plain;
        narrow[11] = Text(Some("task"));
        all.insert("LIST_BY_RELEVANCE", [&narrow[..], &next, &[Text(Some("task"))]].concat());
    }

    fn groups(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        let (project, label) = (Id(Some(self.project)), Id(Some(self.label)));
        let ids = Text(Some(r#"["01890a5d-ac96-774b-bcce-b302099a8057"]"#));
        let next = [Int(Some(10)), Id(Some(self.project)), Int(Some(51))];
        all.extend([
            ("FIND_PROJECT", vec![user, project]),
            ("LIST_PROJECTS", [&[user][..], &next].concat()),
            ("COUNT_PROJECTS", vec![user]),
            ("UPSERT_PROJECT", vec![project, user, text, text, text, now, now, now]),
            ("DELETE_PROJECT", vec![user, project]),
            ("LIST_PROJECT_TASKS", vec![user, project]),
            ("ADD_TO_PROJECT", vec![user, project, ids, now]),
            ("LEAVE_PROJECT", vec![user, project, now]),
            ("FIND_LABEL", vec![user, label]),
            ("LIST_LABELS", [&[user][..], &next].concat()),
            ("COUNT_LABELS", vec![user]),
            ("UPSERT_LABEL", vec![label, user, text, text, now, now, now]),
            ("DELETE_LABEL", vec![user, label]),
            ("LIST_LABEL_TASKS", vec![user, label]),
            ("TOUCH_LABEL_TASKS", vec![user, label, now]),
            ("ADD_LABEL", vec![user, label, ids]),
        ]);
    }

    fn changes(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, now, text) = (Id(Some(self.user)), Int(Some(1)), Text(Some("x")));
        all.extend([
            ("INSERT_UNDO", vec![Hash, user, text, text, now, now, text, now]),
            ("FIND_UNDO", vec![user, Hash]),
            ("FIND_LATEST_UNDO", vec![user, now]),
            ("SPEND_UNDO", vec![user, Hash, now]),
            ("FIND_RECEIPT", vec![user, text, now]),
            ("INSERT_RECEIPT", vec![user, text, Hash, text, now, now]),
            ("TAKE_NUMBERS", vec![user, now]),
            ("INSERT_EVENTS", vec![user, Int(Some(FAR)), now, text, now]),
            ("LIST_EVENTS", vec![user, now, Int(Some(16))]),
        ]);
    }

    fn decisions(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let user = Id(Some(self.user));
        let some = [Text(Some("default")), Int(Some(0)), Int(Some(FAR)), Text(None), Text(None)];
        let next = [Int(Some(FAR)), Id(Some(Uuid::max())), Int(Some(51))];
        all.insert("LIST_OWN_DECISIONS", [&some[..], &next, &[user]].concat());
        all.insert("COUNT_OWN_DECISIONS", [&some[..], &[user]].concat());
        all.insert("COUNT_OWN_OUTCOMES", [&some[..], &[Int(Some(51)), user]].concat());
        all.insert("EXPORT_DECISIONS", vec![user]);
    }

    fn transfer(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, empty) = (Id(Some(self.user)), Text(Some("[]")));
        let ids = Text(Some(r#"["01890a5d-ac96-774b-bcce-b302099a8057"]"#));
        all.extend([
            ("EXPORT_PROJECTS", vec![user]),
            ("EXPORT_LABELS", vec![user]),
            ("EXPORT_TASKS", vec![user]),
            ("INSERT_LABELS", vec![user, empty]),
            ("INSERT_TASK_LABELS", vec![user, empty]),
            ("COUNT_OTHER_PARTS", vec![user, ids]),
            ("DELETE_TASKS", vec![user, ids]),
            ("DELETE_UNUSED_PROJECTS", vec![user, ids]),
            ("DELETE_UNUSED_LABELS", vec![user, ids]),
        ]);
    }
}

impl Person {
    fn clients(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (client, now, text) = (Id(Some(self.client)), Int(Some(1)), Text(Some("x")));
        let columns = vec![client, text, text, text, text, Hash, text, Hash, text, now, now, now, now, now];
        all.extend([
            ("INSERT_CLIENT", columns.clone()),
            ("UPSERT_CLIENT", columns),
            ("FIND_CLIENT", vec![text]),
            ("UPDATE_CLIENT", vec![client, text, text, Hash, text, now]),
            ("TOUCH_CLIENT", vec![client, now]),
            ("HOLD_CLIENT", vec![client]),
            ("DELETE_CLIENT", vec![client]),
            ("FORGET_CONSENTS", vec![client]),
            ("INSERT_ASSERTION", vec![Hash, now]),
        ]);
    }

    fn grants(&self, all: &mut HashMap<&'static str, Vec<Arg>>) {
        let (user, grant, client) = (Id(Some(self.user)), Id(Some(self.grant)), Id(Some(self.client)));
        let (session, now, text) = (Id(Some(self.session)), Int(Some(1)), Text(Some("x")));
        let page = [Int(Some(FAR)), Id(Some(Uuid::max())), Int(Some(51))];
        all.extend([
            ("INSERT_GRANT", vec![grant, user, client, session, text, text, now, now, now]),
            ("FIND_GRANT", vec![grant]),
            ("FIND_GRANT_CALLER", vec![grant]),
            ("TOUCH_GRANT", vec![grant, user, now]),
            ("DELETE_GRANT", vec![grant, user]),
            ("DELETE_APP_GRANTS", vec![user, client]),
            ("DELETE_APP_CONSENTS", vec![user, client]),
            ("DELETE_APP_DEVICES", vec![user, client]),
            ("DELETE_SURPLUS_GRANTS", vec![user, client, Int(Some(100))]),
            ("HOLD_GRANT", vec![grant]),
            ("LIST_APPS", [&[user, now, now][..], &page].concat()),
            ("COUNT_APPS", vec![user, now, now]),
            ("INSERT_GRANT_REFRESH", vec![Hash, grant, now]),
            ("FIND_GRANT_REFRESH", vec![Hash]),
            ("SPEND_GRANT_REFRESH", vec![Hash, now, Hash, Hash]),
            ("CLEAR_OLD_ANSWERS", vec![grant, Hash]),
            (
                "INSERT_CODE",
                vec![Hash, grant, user, client, session, text, text, text, text, text, now, text, now, now],
            ),
            ("FIND_CODE", vec![Hash]),
            ("SPEND_CODE", vec![Hash, now]),
            ("DELETE_APP_CODES", vec![user, client]),
            ("INSERT_DEVICE", vec![Hash, Hash, client, text, text, now, now, now]),
            ("LOCK_DEVICE", vec![Hash]),
            ("FIND_DEVICE", vec![Hash]),
            ("NOTE_POLL", vec![Hash, now, now]),
            ("DECIDE_DEVICE", vec![Hash, Text(Some("denied")), text, user, session, now, text, now]),
            ("DELETE_DEVICE", vec![Hash]),
        ]);
    }
}

async fn one_id(raw: &Raw, statement: &'static str, user: Option<Uuid>) -> Uuid {
    on_pool!(raw, |pool| {
        let query = sqlx::query_scalar(statement);
        let query = if let Some(user) = user { query.bind(user) } else { query };
        query.fetch_one(pool).await.unwrap()
    })
}

/// Binds the arguments in order.
macro_rules! bind_all {
    ($query:expr, $arguments:expr) => {
        $arguments.iter().fold($query, |query, argument| match argument {
            Id(id) => query.bind(*id),
            Int(number) => query.bind(*number),
            Text(text) => query.bind(*text),
            Hash => query.bind(vec![7_u8; 32]),
        })
    };
}

/// The plan, one step a line.
async fn plan(raw: &Raw, sql: Sql, arguments: &[Arg]) -> Result<Vec<String>, sqlx::Error> {
    match raw {
        Raw::Sqlite(pool) => {
            let text = format!("EXPLAIN QUERY PLAN {}", sql.sqlite);
            let query = sqlx::query_as::<_, (i64, i64, i64, String)>(AssertSqlSafe(text));
            let steps = bind_all!(query, arguments).fetch_all(pool).await?;
            Ok(steps.into_iter().map(|(_, _, _, detail)| detail).collect())
        }
        Raw::Postgres(pool) => {
            let query = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {}", sql.postgres)));
            bind_all!(query, arguments).fetch_all(pool).await
        }
    }
}

/// Steps that read a table whole: whatever is not a look-up by a key, a computed table, or a search for the owner.
fn whole_reads(raw: &Raw, steps: &[String]) -> Vec<String> {
    let bad = |(index, step): (usize, &String)| {
        let next = steps.get(index + 1).map_or("", String::as_str);
        match raw {
            Raw::Sqlite(_) => {
                let computed =
                    ["CONSTANT ROW", "down", "up", "SUBQUERY"].iter().any(|name| *step == format!("SCAN {name}"));
                (step.starts_with("SCAN ") && !computed && !step.contains("VIRTUAL TABLE"))
                    || step.contains("AUTOMATIC")
                    || step.contains("ANY(")
            }
            Raw::Postgres(_) => {
                let by_index = ["Index Scan", "Index Only Scan"].iter().any(|kind| step.contains(kind));
                step.contains("Seq Scan on") || (by_index && !next.contains("Index Cond:"))
            }
        }
    };
    steps.iter().enumerate().filter(|step| bad(*step)).map(|(_, step)| step.clone()).collect()
}

/// Every statement whose plan reads a table whole, with the plan.
async fn careless(raw: &Raw) -> Vec<String> {
    let arguments = Person::find(raw).await.arguments();
    let mut careless = Vec::new();
    for (name, sql) in ALL_STATEMENTS.concat() {
        if SERVER_WIDE.contains(&name) || WHOLE.contains(&name) {
            continue;
        }
        let Some(arguments) = arguments.get(name) else {
            panic!("tell this test what {name} is asked with");
        };
        let mut questions = vec![arguments.clone()];
        if name.starts_with("LIST_BY_") || name == "COUNT_TASKS" || name == "LIST_TASK_IDS" {
            questions.extend(narrowed(arguments));
        }
        for question in questions {
            let steps = plan(raw, sql, &question).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            if !whole_reads(raw, &steps).is_empty() {
                careless.push(format!("{name} {question:?}\n    {}", steps.join("\n    ")));
            }
        }
    }
    careless
}

/// The same list through each filter alone.
fn narrowed(arguments: &[Arg]) -> Vec<Vec<Arg>> {
    let filters = [
        (5, Text(Some("label 1"))),
        (6, arguments[0]),
        (7, arguments[0]),
        (8, Int(Some(FAR))),
        (9, Int(Some(0))),
        (10, Int(Some(0))),
        (11, Text(Some("task"))),
    ];
    filters.map(|(index, value)| [&arguments[..index], &[value], &arguments[index + 1..]].concat()).to_vec()
}

both_databases! {
    async fn no_question_about_ones_own_data_reads_other_peoples_rows(db: TestDatabase) {
        db.store().await;
        let raw = Raw::open(&db).await;
        seed::fill(&raw, 1000).await;

        // SQLite's planner must do well without statistics: the product never gathers them.
        let before = if matches!(raw, Raw::Sqlite(_)) { careless(&raw).await } else { Vec::new() };
        raw.run("ANALYZE").await;
        let after = careless(&raw).await;

        assert!(before.is_empty(), "{}", before.join("\n"));
        assert!(after.is_empty(), "{}", after.join("\n"));
    }

    async fn every_reference_has_an_index_so_that_deleting_a_user_finds_the_rows(db: TestDatabase) {
        db.store().await;
        let raw = Raw::open(&db).await;

        let unindexed = raw.texts(
            "SELECT m.name || '.' || f.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f
              WHERE m.type = 'table' AND NOT EXISTS (
                    SELECT 1 FROM pragma_index_list(m.name) i, pragma_index_info(i.name) c
                     WHERE i.partial = 0 AND c.seqno = 0 AND c.name = f.\"from\")
              ORDER BY 1",
            "SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
              WHERE c.contype = 'f' AND NOT EXISTS (
                    SELECT 1 FROM pg_index i
                     WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1])
              ORDER BY 1",
        );

        assert_eq!(unindexed.await, [""; 0]);
    }
}
