//! Words to search by, folded anew when a version of the program folds them otherwise.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Sql, Store, StoreResult, Tx, on_database};
use crate::tasks::search::words;

/// How many rows are looked at in one change; others may write in between.
const CHUNK: i64 = 500;

/// `$1` the id after which to go on, `$2` how many. Everybody's tasks.
const LIST_WORDS: &str =
    "SELECT id, title, description, search_title, search_body FROM tasks WHERE id > $1 ORDER BY id LIMIT $2";

/// `$1` task, `$2` the title's words, `$3` the description's. Not a change that anybody made.
const SET_WORDS: &str = "UPDATE tasks SET search_title = $2, search_body = $3 WHERE id = $1";

pub(super) const STATEMENTS: &[(&str, Sql)] =
    &[("LIST_WORDS", Sql::same(LIST_WORDS)), ("SET_WORDS", Sql::same(SET_WORDS))];

#[derive(FromRow)]
struct WordsRow {
    id: Uuid,
    title: String,
    description: Option<String>,
    search_title: String,
    search_body: String,
}

impl Store {
    /// Folds the words of every task again, where that makes a difference.
    pub(super) async fn fold_words_anew(&self) -> StoreResult<()> {
        let mut after = Some(Uuid::nil());
        while let Some(place) = after {
            after = self.write(move |tx| Box::pin(tx.fold_words_after(place))).await?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Folds the words of some tasks; returns where to go on.
    pub(super) async fn fold_words_after(&mut self, place: Uuid) -> StoreResult<Option<Uuid>> {
        let rows: Vec<WordsRow> =
            on_database!(self, |db| sqlx::query_as(LIST_WORDS).bind(place).bind(CHUNK).fetch_all(db).await?);
        let last = rows.last().map(|row| row.id);
        for row in rows {
            let (title, body) = (words(&row.title), row.description.as_deref().map(words).unwrap_or_default());
            if (&title, &body) != (&row.search_title, &row.search_body) {
                on_database!(self, |db| {
                    sqlx::query(SET_WORDS).bind(row.id).bind(title).bind(body).execute(db).await?;
                });
            }
        }
        Ok(last)
    }
}
