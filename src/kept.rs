//! Values that are kept while they are right, and made once however many ask for them at the same time.

use std::hash::Hash;

use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

/// A cache for about `items` values that weigh `most` together, of which one may take all the room.
///
/// By itself the library cuts the room into parts, more of them on machines with more cores, and keeps nothing that is larger
/// than a part.
pub fn undivided<K, V, W>(items: usize, most: u64, weighter: W) -> Cache<K, V, W>
where
    K: Eq + Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    let options = OptionsBuilder::new().estimated_items_capacity(items).weight_capacity(most).shards(1).build();
    match options {
        Ok(options) => {
            Cache::with_options(options, weighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        Err(_) => Cache::with_weighter(items, most, weighter),
    }
}

/// What is kept under `key`, if `is_right` says so of it. If not, one of those who ask makes it and the others wait for that;
/// when it could not be made, the next of them tries.
///
/// # Errors
///
/// What `make` returns; nothing is kept then.
pub async fn kept_or_made<K, V, W, E>(
    cache: &Cache<K, V, W>,
    key: &K,
    is_right: impl Fn(&V) -> bool,
    make: impl AsyncFnOnce() -> Result<V, E>,
) -> Result<V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    if let Some(kept) = cache.get(key).filter(&is_right) {
        return Ok(kept);
    }
    let judge = |_: &K, kept: &mut V| {
        if is_right(kept) { EntryAction::Retain(kept.clone()) } else { EntryAction::ReplaceWithGuard }
    };
    match cache.entry_async(key, judge).await {
        EntryResult::Retained(kept) => Ok(kept),
        EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => {
            let value = make().await?;
            // What is too large to be kept is not.
            let _ = place.insert(value.clone());
            Ok(value)
        }
        EntryResult::Removed(..) | EntryResult::Timeout => make().await,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_get_what_one_of_them_made() {
        let (cache, made, gate) = (Cache::new(10), AtomicU32::new(0), Semaphore::new(0));
        let ask = || {
            kept_or_made(
                &cache,
                &1,
                |_| true,
                async || {
                    gate.acquire().await.unwrap().forget();
                    Ok::<_, Infallible>(made.fetch_add(1, Ordering::SeqCst))
                },
            )
        };
        let open = async { gate.add_permits(10) };

        let (first, second, third, ()) = tokio::join!(ask(), ask(), ask(), open);

        assert_eq!([first, second, third], [Ok(0); 3]);
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[derive(Clone)]
    struct Itself;

    impl Weighter<u32, u64> for Itself {
        fn weight(&self, _: &u32, value: &u64) -> u64 {
            *value
        }
    }

    #[tokio::test]
    async fn one_value_may_take_nearly_all_the_room() {
        let (cache, count) = (undivided(1_000, 1_000, Itself), AtomicU32::new(0));

        for _ in 0..3 {
            let make = async || {
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(900)
            };
            assert_eq!(kept_or_made(&cache, &1, |_| true, make).await, Ok(900));
        }

        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_is_not_right_any_more_is_made_anew() {
        let cache: Cache<u32, u32> = Cache::new(10);
        let ask =
            async |wanted: u32| kept_or_made(&cache, &1, |kept| *kept == wanted, async || Ok::<_, ()>(wanted)).await;

        assert_eq!([ask(1).await, ask(1).await, ask(2).await], [Ok(1), Ok(1), Ok(2)]);
        assert_eq!(cache.get(&1), Some(2));
    }

    #[tokio::test]
    async fn who_fails_or_leaves_makes_room_for_the_next() {
        let cache: Arc<Cache<u32, u32>> = Arc::new(Cache::new(10));
        let failed = kept_or_made(&cache, &1, |_| true, async || Err("away")).await;
        assert_eq!(failed, Err("away"));

        let left = kept_or_made(
            &cache,
            &1,
            |_| true,
            async || {
                std::future::pending::<()>().await;
                Ok::<_, ()>(0)
            },
        );
        let mut left = Box::pin(left);
        assert!(futures_util::poll!(&mut left).is_pending());
        drop(left);

        assert_eq!(kept_or_made(&cache, &1, |_| true, async || Ok::<_, ()>(7)).await, Ok(7));
    }
}
