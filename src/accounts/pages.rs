//! Pages of the lists that go from newest to oldest.

use uuid::Uuid;

use super::error::AccountError;
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::store::audit::Slice;

/// Which page of a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// The most items, 1 to 1000.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX) as usize
    }

    /// The rows to ask for: one more than fits, to know whether there is a next page. `list` names the
    /// list; nobody continues another's.
    pub(crate) fn slice(&self, owner: UserId, list: &str) -> Result<Slice, AccountError> {
        let asked = asked(owner, list);
        let place = self.cursor.as_deref().map(|cursor| paging::decode::<(i64, Uuid)>(&asked, cursor)).transpose()?;
        let before = place.map(|(at, id)| (Timestamp::from_micros(at), id));
        Ok(Slice { before, limit: i64::try_from(self.limit()).unwrap_or(i64::MAX).saturating_add(1) })
    }

    /// The page of the rows that [`Self::slice`] gave; `place` tells a row's moment and id.
    pub(crate) fn page<T>(
        &self,
        (owner, list): (UserId, &str),
        mut rows: Vec<T>,
        total: i64,
        place: fn(&T) -> (Timestamp, Uuid),
    ) -> Page<T> {
        let more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let end = rows.last().filter(|_| more).map(place);
        Page {
            next_cursor: end.map(|(at, id)| paging::encode(&asked(owner, list), &(at.as_micros(), id))),
            items: rows,
            total: u64::try_from(total).unwrap_or(0),
        }
    }
}

/// What a cursor is bound to: whose list it is, and which.
fn asked(owner: UserId, list: &str) -> String {
    format!("{owner} {list}")
}
