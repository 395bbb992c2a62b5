//! Lists of tasks: filters, orders, pages, counts; and the candidates of a ranking.

use sqlx::FromRow;
use uuid::Uuid;

use super::tasks::{TaskRow, read_tasks, task_columns};
use super::{Dialect, Sql, Store, StoreResult, on_database};
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId};
use crate::tasks::filter::{Position, Sort, TaskFilter};
use crate::tasks::search::{Reach, SearchTerms, words};
use crate::tasks::task::{Status, Task};

/// `$1` owner, `$2`-`$5` statuses, `$6` label, `$7` project, `$8` parent, `$9` due before, `$10` due after,
/// `$11` updated since; what is NULL does not narrow. The search, `$12`, differs between the databases.
macro_rules! filter {
    ($search:literal) => {
        concat!(
            " FROM tasks t
              WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.status IN ($2, $3, $4, $5)
                AND (CAST($6 AS TEXT) IS NULL OR EXISTS (
                        SELECT 1 FROM task_labels x JOIN labels l ON l.id = x.label_id
                         WHERE x.task_id = t.id AND l.user_id = $1 AND l.name_key = $6))
                AND (CAST($7 AS UUID) IS NULL OR t.project_id = $7)
                AND (CAST($8 AS UUID) IS NULL OR t.parent_id = $8)
                AND (CAST($9 AS BIGINT) IS NULL OR t.due_at < $9)
                AND (CAST($10 AS BIGINT) IS NULL OR t.due_at >= $10)
                AND (CAST($11 AS BIGINT) IS NULL OR t.updated_at >= $11)
                AND (CAST($12 AS TEXT) IS NULL OR ",
            $search,
            ")"
        )
    };
}

macro_rules! sqlite_filter {
    () => {
        filter!("t.seq IN (SELECT rowid FROM tasks_search WHERE tasks_search MATCH $12)")
    };
}
macro_rules! postgres_filter {
    () => {
        filter!("t.search @@ CAST(CAST($12 AS TEXT) AS TSQUERY)")
    };
}

/// `$13`, `$14`: the sort key and id of the last row shown, or NULL; `$15` how many rows.
macro_rules! page {
    ($filter:expr, $key:literal, $compare:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS sort_key, ",
            task_columns!(),
            $filter,
            " AND (CAST($13 AS BIGINT) IS NULL OR (",
            $key,
            ", t.id) ",
            $compare,
            " ($13, $14))
              ORDER BY ",
            $key,
            " ",
            $direction,
            ", t.id ",
            $direction,
            " LIMIT $15"
        )
    };
}
macro_rules! pages {
    ($key:literal, $compare:literal, $direction:literal) => {
        Sql {
            sqlite: page!(sqlite_filter!(), $key, $compare, $direction),
            postgres: page!(postgres_filter!(), $key, $compare, $direction),
        }
    };
}

const LIST_BY_CREATED: Sql = pages!("t.created_at", ">", "ASC");
const LIST_BY_CREATED_DESC: Sql = pages!("t.created_at", "<", "DESC");
const LIST_BY_DUE: Sql = pages!("COALESCE(t.due_at, 9223372036854775807)", ">", "ASC");
const LIST_BY_DUE_DESC: Sql = pages!("COALESCE(t.due_at, -1)", "<", "DESC");
const LIST_BY_PRIORITY: Sql = pages!("CAST(t.priority AS BIGINT)", ">", "ASC");
const LIST_BY_PRIORITY_DESC: Sql = pages!("CAST(t.priority AS BIGINT)", "<", "DESC");

/// As the other lists, and `$16`: the question asked of titles alone. What is found there comes first, then the newest:
/// a time in microseconds stays below 2^58, so one bit above it puts every title first.
const LIST_BY_RELEVANCE: Sql = Sql {
    sqlite: page!(
        sqlite_filter!(),
        "((t.seq IN (SELECT rowid FROM tasks_search WHERE tasks_search MATCH $16)) * 2305843009213693952 + t.created_at)",
        "<",
        "DESC"
    ),
    postgres: page!(
        postgres_filter!(),
        "((t.search @@ CAST(CAST($16 AS TEXT) AS TSQUERY))::int::bigint * 2305843009213693952 + t.created_at)",
        "<",
        "DESC"
    ),
};

/// `$1`-`$12` as in the lists.
const COUNT_TASKS: Sql = Sql {
    sqlite: concat!("SELECT COUNT(*)", sqlite_filter!()),
    postgres: concat!("SELECT COUNT(*)", postgres_filter!()),
};

/// `$1`-`$12` as in the lists: the ids alone, in the order of creation.
const LIST_TASK_IDS: Sql = Sql {
    sqlite: concat!("SELECT t.id", sqlite_filter!(), " ORDER BY t.created_at, t.id"),
    postgres: concat!("SELECT t.id", postgres_filter!(), " ORDER BY t.created_at, t.id"),
};

/// `$1` owner, `$2`-`$5` statuses, `$6` the title's words, `$7` a search that finds all such titles, `$8` how many rows.
/// Newest first. The words themselves have no index: some would be too long for PostgreSQL's.
macro_rules! by_title {
    ($search:literal) => {
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks t
              WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.status IN ($2, $3, $4, $5) AND t.search_title = $6 AND ",
            $search,
            " ORDER BY t.created_at DESC, t.id DESC LIMIT $8"
        )
    };
}
const FIND_SAME_TITLE: Sql = Sql {
    sqlite: by_title!("t.seq IN (SELECT rowid FROM tasks_search WHERE tasks_search MATCH $7)"),
    postgres: by_title!("t.search @@ CAST(CAST($7 AS TEXT) AS TSQUERY)"),
};

/// `$1` owner, `$2`-`$5` statuses, `$6` how many rows. Titles of signs alone, newest first.
const FIND_WORDLESS: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM tasks t
      WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.status IN ($2, $3, $4, $5) AND t.search_title = ''
      ORDER BY t.created_at DESC, t.id DESC LIMIT $6"
);

/// `$1` owner. Everything that is or may become a candidate: not deleted, not completed.
const LIST_CANDIDATES: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM tasks t WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.status <> 'completed' ORDER BY t.created_at, t.id"
);

/// `$1` owner, `$2` a moment, `$3` how many rows. What was deleted since then, the latest first.
const LIST_DELETED: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM tasks t WHERE t.user_id = $1 AND t.deleted_at >= $2 ORDER BY t.deleted_at DESC, t.id DESC LIMIT $3"
);

pub(super) const STATEMENTS: &[(&str, Sql)] = &[
    ("LIST_BY_CREATED", LIST_BY_CREATED),
    ("LIST_BY_CREATED_DESC", LIST_BY_CREATED_DESC),
    ("LIST_BY_DUE", LIST_BY_DUE),
    ("LIST_BY_DUE_DESC", LIST_BY_DUE_DESC),
    ("LIST_BY_PRIORITY", LIST_BY_PRIORITY),
    ("LIST_BY_PRIORITY_DESC", LIST_BY_PRIORITY_DESC),
    ("LIST_BY_RELEVANCE", LIST_BY_RELEVANCE),
    ("COUNT_TASKS", COUNT_TASKS),
    ("LIST_TASK_IDS", LIST_TASK_IDS),
    ("FIND_SAME_TITLE", FIND_SAME_TITLE),
    ("FIND_WORDLESS", Sql::same(FIND_WORDLESS)),
    ("LIST_CANDIDATES", Sql::same(LIST_CANDIDATES)),
    ("LIST_DELETED", Sql::same(LIST_DELETED)),
];

#[derive(FromRow)]
struct ListedRow {
    sort_key: i64,
    #[sqlx(flatten)]
    task: TaskRow,
}

const fn statement(sort: Sort) -> Option<Sql> {
    match sort {
        Sort::CreatedAt => Some(LIST_BY_CREATED),
        Sort::CreatedAtDesc => Some(LIST_BY_CREATED_DESC),
        Sort::DueDate => Some(LIST_BY_DUE),
        Sort::DueDateDesc => Some(LIST_BY_DUE_DESC),
        Sort::Priority => Some(LIST_BY_PRIORITY),
        Sort::PriorityDesc => Some(LIST_BY_PRIORITY_DESC),
        Sort::Relevance => Some(LIST_BY_RELEVANCE),
        Sort::Score | Sort::ScoreDesc => None,
    }
}

/// Binds `$1` to `$12` of [`filter!`].
macro_rules! bind_filter {
    ($query:expr, $dialect:expr, $owner:expr, $filter:expr) => {{
        let statuses = four_of(&$filter.statuses);
        $query
            .bind($owner.0)
            .bind(statuses[0].as_str())
            .bind(statuses[1].as_str())
            .bind(statuses[2].as_str())
            .bind(statuses[3].as_str())
            .bind($filter.label.as_deref().map(crate::tasks::text::name_key))
            .bind($filter.project_id.map(|id| id.0))
            .bind($filter.parent_id.map(|id| id.0))
            .bind($filter.due_before.map(|moment| moment.as_micros()))
            .bind($filter.due_after.map(|moment| moment.as_micros()))
            .bind($filter.updated_since.map(|moment| moment.as_micros()))
            .bind($filter.search.as_ref().map(|terms| match_text(terms, $dialect, $owner, Where::Everywhere)))
    }};
}

/// The four statuses to look for; repeated when there are fewer.
fn four_of(statuses: &[Status]) -> [Status; 4] {
    let wanted = if statuses.is_empty() { &Status::ALL[..] } else { statuses };
    std::array::from_fn(|index| wanted.get(index).copied().unwrap_or(wanted[0]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Everywhere,
    Title,
}

/// The question in the database's own search language. Terms are letters and digits alone, so nothing needs escaping.
/// A question without words is one to which nothing answers.
fn match_text(terms: &SearchTerms, dialect: Dialect, owner: UserId, place: Where) -> String {
    if terms.words().is_empty() {
        return match dialect {
            Dialect::Sqlite => "owner : \"nobody\"".to_owned(),
            Dialect::Postgres => "'0' & !'0'".to_owned(),
        };
    }
    let title = place == Where::Title || terms.reach() == Reach::TitleWords;
    let whole = terms.reach() == Reach::TitleWords;
    let words = terms.words().iter();
    match dialect {
        Dialect::Sqlite => {
            let columns = if title { "title" } else { "{title body}" };
            let star = if whole { "" } else { " *" };
            let words = words.map(|word| format!("{columns} : \"{word}\"{star}")).collect::<Vec<_>>();
            format!("owner : \"{}\" AND {}", owner.0.simple(), words.join(" AND "))
        }
        Dialect::Postgres => {
            let (mark, star) = (if title { "=" } else { "" }, if whole { "" } else { ":*" });
            words.map(|word| format!("'{mark}{word}'{star}")).collect::<Vec<_>>().join(" & ")
        }
    }
}

impl Store {
    /// Up to `limit` of the owner's tasks that come after a position, each with its own position.
    ///
    /// An order by score is not the database's business: it gives no rows.
    pub async fn list_tasks(
        &self,
        owner: UserId,
        filter: &TaskFilter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> StoreResult<Vec<(Position, Task)>> {
        let Some(statement) = statement(sort) else { return Ok(Vec::new()) };
        let dialect = self.dialect();
        let rows: Vec<ListedRow> = on_database!(self.reader, |db| {
            let query = bind_filter!(sqlx::query_as(statement.on(dialect)), dialect, owner, filter)
                .bind(after.map(|position| position.key))
                .bind(after.map(|position| position.id))
                .bind(i64::from(limit));
            let query = match (&filter.search, sort) {
                (Some(terms), Sort::Relevance) => query.bind(match_text(terms, dialect, owner, Where::Title)),
                _ => query,
            };
            query.fetch_all(db).await?
        });
        rows.into_iter()
            .map(|row| {
                let task = Task::try_from(row.task)?;
                Ok((Position { key: row.sort_key, id: task.id.0 }, task))
            })
            .collect()
    }

    /// How many of the owner's tasks pass the filter.
    pub async fn count_tasks(&self, owner: UserId, filter: &TaskFilter) -> StoreResult<u64> {
        let dialect = self.dialect();
        let count: i64 = on_database!(self.reader, |db| {
            bind_filter!(sqlx::query_scalar(COUNT_TASKS.on(dialect)), dialect, owner, filter).fetch_one(db).await?
        });
        Ok(count.unsigned_abs())
    }

    /// The ids of the owner's tasks that pass the filter, oldest first.
    pub async fn list_task_ids(&self, owner: UserId, filter: &TaskFilter) -> StoreResult<Vec<TaskId>> {
        let dialect = self.dialect();
        let ids: Vec<Uuid> = on_database!(self.reader, |db| {
            bind_filter!(sqlx::query_scalar(LIST_TASK_IDS.on(dialect)), dialect, owner, filter).fetch_all(db).await?
        });
        Ok(ids.into_iter().map(TaskId).collect())
    }

    /// Up to `limit` of the owner's tasks of these statuses whose title has the same words, in the same order, as
    /// `title`; newest first. For a title without words: tasks whose titles have none either.
    pub async fn list_by_title(
        &self,
        owner: UserId,
        statuses: &[Status],
        title: &str,
        limit: u32,
    ) -> StoreResult<Vec<Task>> {
        let dialect = self.dialect();
        let statuses = four_of(statuses);
        let terms = SearchTerms::parse(title).in_title();
        let wordless = terms.words().is_empty();
        let statement = if wordless { FIND_WORDLESS } else { FIND_SAME_TITLE.on(dialect) };
        let rows = on_database!(self.reader, |db| {
            let query = sqlx::query_as(statement)
                .bind(owner.0)
                .bind(statuses[0].as_str())
                .bind(statuses[1].as_str())
                .bind(statuses[2].as_str())
                .bind(statuses[3].as_str());
            let query = if wordless {
                query
            } else {
                query.bind(words(title)).bind(match_text(&terms, dialect, owner, Where::Title))
            };
            query.bind(i64::from(limit)).fetch_all(db).await?
        });
        read_tasks(rows)
    }

    /// Up to `limit` of the owner's tasks that were deleted since a moment, the latest first.
    pub async fn list_deleted(&self, owner: UserId, since: Timestamp, limit: u32) -> StoreResult<Vec<Task>> {
        let rows = on_database!(self.reader, |db| {
            let query = sqlx::query_as(LIST_DELETED).bind(owner.0).bind(since.as_micros()).bind(i64::from(limit));
            query.fetch_all(db).await?
        });
        read_tasks(rows)
    }

    /// Everything of the owner's that is or may become a candidate: neither deleted nor completed.
    pub async fn list_candidates(&self, owner: UserId) -> StoreResult<Vec<Task>> {
        let rows = on_database!(self.reader, |db| sqlx::query_as(LIST_CANDIDATES).bind(owner.0).fetch_all(db).await?);
        read_tasks(rows)
    }
}
