//! Pages of lists as they were sent, kept while nothing of the user's has changed.
//!
//! A page depends on the question and on the user's data, whose version every request reads anew; a page of a ranking on
//! that ranking. So a page made from the same version is right, and giving it again costs no look at the database.

use std::sync::Arc;

use bytes::Bytes;
use poem::{FromRequest, Request, RequestBody};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::accounts::Caller;
use crate::ids::UserId;
use crate::kept::{kept_or_made, undivided};

use super::lists::Listed;

/// How many bytes the kept pages may have together.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;
/// Longer questions are rare, and not worth keeping.
const QUESTION_MAX: usize = 256;

/// What was asked: the query string as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageKey(Arc<str>);

impl<'a> FromRequest<'a> for PageKey {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(Arc::from(request.uri().query().unwrap_or_default())))
    }
}

#[derive(Clone)]
struct KeptPage {
    made_from: i64,
    body: Bytes,
    total: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(UserId, PageKey), KeptPage> for ByBytes {
    fn weight(&self, key: &(UserId, PageKey), page: &KeptPage) -> u64 {
        (page.body.len() + key.1.0.len() + 64) as u64
    }
}

/// The kept pages of one kind of list.
pub struct PageCache(Cache<(UserId, PageKey), KeptPage, ByBytes>);

impl Default for PageCache {
    fn default() -> Self {
        Self(undivided(1_000, KEPT_BYTES, ByBytes))
    }
}

impl std::fmt::Debug for PageCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageCache").field("pages", &self.0.len()).finish()
    }
}

impl PageCache {
    /// The answer to this question from data of the version `made_from`: the kept one, or else what `make` makes.
    ///
    /// # Errors
    ///
    /// What `make` returns.
    pub async fn answer<P, E>(
        &self,
        caller: &Caller,
        key: PageKey,
        made_from: i64,
        make: impl AsyncFnOnce() -> Result<Listed<P>, E>,
    ) -> Result<Listed<P>, E> {
        if key.0.len() > QUESTION_MAX {
            return make().await;
        }
        let key = (caller.user_id, key);
        let is_right = |page: &KeptPage| page.made_from == made_from;
        let keep = async || {
            let page = make().await?;
            Ok(KeptPage { made_from, body: page.body(), total: page.total() })
        };
        let page = kept_or_made(&self.0, &key, is_right, keep).await?;
        Ok(Listed::rendered(page.body, page.total))
    }
}
