//! Look-ups that wait together share one statement, without ever answering from before a request came.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The most keys of one statement.
pub const MOST_KEYS: usize = crate::store::callers::MOST_KEYS;

type Found<K, V, E> = Result<HashMap<K, V>, E>;
type Flight<K, V, E, L> = Pin<Box<dyn Future<Output = (Found<K, V, E>, L)> + Send>>;
type Waiting<K, V, E> = (K, oneshot::Sender<Result<Option<V>, Arc<E>>>);
type Boarded<K, V, E> = (Vec<K>, Vec<Waiting<K, V, E>>);
type Look<K, V, E, L> = Box<dyn Fn(Vec<K>, L) -> Flight<K, V, E, L> + Send + Sync>;

/// Gathers look-ups by key into flights of at most [`MOST_KEYS`] distinct keys.
///
/// A request joins a flight that starts after it asked, never one that is under way: whatever was true when it asked,
/// its answer is at least as new. While all flights are under way, requests wait and share the next.
///
/// Each look-up hands an `L` to the one that follows at once, such as a connection; it is dropped when nobody waits.
pub struct Gather<K, V, E, L>(Arc<Inner<K, V, E, L>>);

struct Inner<K, V, E, L> {
    look: Look<K, V, E, L>,
    most_flights: usize,
    state: Mutex<State<K, V, E>>,
}

struct State<K, V, E> {
    waiting: Vec<Waiting<K, V, E>>,
    flights: usize,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum GatherError<E: std::error::Error + 'static> {
    /// The shared statement failed.
    #[error("a shared look-up failed")]
    Look(#[source] Arc<E>),
    /// The flight ended without an answer: the server is going down, or the look-up panicked.
    #[error("a shared look-up was given up")]
    Lost,
}

impl<K, V, E, L> Gather<K, V, E, L>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    L: Default + Send + 'static,
{
    /// Looks keys up with `look`, in at most `most_flights` statements at a time.
    pub fn new<F>(most_flights: usize, look: impl Fn(Vec<K>, L) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = (Found<K, V, E>, L)> + Send + 'static,
    {
        let state = Mutex::new(State { waiting: Vec::new(), flights: 0 });
        let look: Look<K, V, E, L> = Box::new(move |keys, lease| Box::pin(look(keys, lease)));
        Self(Arc::new(Inner { look, most_flights: most_flights.max(1), state }))
    }

    /// What is stored under `key` now.
    pub async fn get(&self, key: K) -> Result<Option<V>, GatherError<E>> {
        let (sender, receiver) = oneshot::channel();
        let starts = {
            let mut state = self.0.lock();
            state.waiting.push((key, sender));
            let starts = state.flights < self.0.most_flights;
            state.flights += usize::from(starts);
            starts
        };
        if starts {
            // A task of its own, so that a client that leaves does not strand those who share its flight.
            tokio::spawn(Pilot { inner: Arc::clone(&self.0), landed: false }.fly());
        }
        receiver.await.map_err(|_| GatherError::Lost)?.map_err(GatherError::Look)
    }
}

impl<K, V, E, L> Inner<K, V, E, L> {
    fn lock(&self) -> MutexGuard<'_, State<K, V, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One flight after the other; gives its place back, even when a look-up panics or the runtime drops it.
struct Pilot<K, V, E, L> {
    inner: Arc<Inner<K, V, E, L>>,
    landed: bool,
}

impl<K, V, E, L> Drop for Pilot<K, V, E, L> {
    fn drop(&mut self) {
        if !self.landed {
            let mut state = self.inner.lock();
            state.flights -= 1;
            if state.flights == 0 {
                // Nobody flies them any more: dropping their senders tells them.
                state.waiting.clear();
            }
        }
    }
}

impl<K, V, E, L> Pilot<K, V, E, L>
where
    K: Copy + Eq + Hash + Send + Sync,
    V: Clone + Send + Sync,
    E: Send + Sync,
    L: Default + Send,
{
    /// Flies until nobody waits.
    async fn fly(mut self) {
        let mut lease = L::default();
        loop {
            // Requests that came together board together: their tasks run before this one does again.
            tokio::task::yield_now().await;
            let Some((keys, passengers)) = self.board() else { return };
            let (found, next) = (self.inner.look)(keys, lease).await;
            let found = found.map_err(Arc::new);
            lease = next;
            for (key, sender) in passengers {
                let answer = found.as_ref().map(|rows| rows.get(&key).cloned()).map_err(Arc::clone);
                // Who left does not mind.
                let _ = sender.send(answer);
            }
        }
    }

    /// Takes who waits, up to [`MOST_KEYS`] distinct keys. When nobody does, the place is given back under the same
    /// lock, so that whoever comes next starts a flight.
    fn board(&mut self) -> Option<Boarded<K, V, E>> {
        let mut state = self.inner.lock();
        let mut keys: Vec<K> = Vec::with_capacity(MOST_KEYS);
        let mut boarding = 0;
        for (key, _) in &state.waiting {
            if !keys.contains(key) {
                if keys.len() == MOST_KEYS {
                    break;
                }
                keys.push(*key);
            }
            boarding += 1;
        }
        if boarding == 0 {
            state.flights -= 1;
            drop(state);
            self.landed = true;
            return None;
        }
        Some((keys, state.waiting.drain(..boarding).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::io;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::{Semaphore, mpsc};

    /// A key under which is found how many look-ups came before, without a pause.
    const HOW_OFTEN: u32 = 1000;

    /// Look-ups that tell their keys and wait until they may go on; they find each key's square of what `world` holds.
    struct Table {
        gather: Gather<u32, u32, io::Error, u32>,
        asked: mpsc::UnboundedReceiver<Vec<u32>>,
        go: Arc<Semaphore>,
        world: Arc<AtomicU32>,
    }

    fn table(flights: usize) -> Table {
        let (sender, asked) = mpsc::unbounded_channel();
        let (go, world) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let (gate, state) = (Arc::clone(&go), Arc::clone(&world));
        let gather = Gather::new(flights, move |keys: Vec<u32>, flown| {
            let (gate, state, sender) = (Arc::clone(&gate), Arc::clone(&state), sender.clone());
            async move {
                let seen = state.load(Ordering::SeqCst);
                sender.send(keys.clone()).unwrap();
                gate.acquire().await.unwrap().forget();
                assert!(!keys.contains(&666), "a look-up that panics");
                if keys.contains(&404) {
                    return (Err(io::Error::other("away")), flown + 1);
                }
                let find = |key| match key {
                    0..100 => Some((key, key * key + seen)),
                    HOW_OFTEN => Some((key, flown)),
                    _ => None,
                };
                (Ok(keys.into_iter().filter_map(find).collect()), flown + 1)
            }
        });
        Table { gather, asked, go, world }
    }

    #[tokio::test]
    async fn a_key_is_found_or_not() {
        let table = table(1);
        table.go.add_permits(2);

        assert_eq!(table.gather.get(7).await.unwrap(), Some(49));
        assert_eq!(table.gather.get(100).await.unwrap(), None);
    }

    #[tokio::test]
    async fn those_who_wait_share_the_next_flight_but_never_the_one_under_way() {
        let mut table = table(1);
        let mut first = Box::pin(table.gather.get(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_eq!(table.asked.recv().await.unwrap(), [1]);

        table.world.store(1000, Ordering::SeqCst);
        let mut later: Vec<_> = [1, 2, 1, 3].into_iter().map(|key| Box::pin(table.gather.get(key))).collect();
        for waiting in &mut later {
            assert!(futures_util::poll!(waiting).is_pending());
        }
        table.go.add_permits(2);

        assert_eq!(first.await.unwrap(), Some(1), "from before the change");
        let answers: Vec<_> = join_all(later).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [Some(1001), Some(1004), Some(1001), Some(1009)]);
        assert_eq!(table.asked.recv().await.unwrap(), [1, 2, 3]);
        assert!(table.asked.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_look_up_hands_its_lease_to_the_next_until_nobody_waits() {
        let mut table = table(1);
        let mut first = Box::pin(table.gather.get(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        table.asked.recv().await.unwrap();

        table.go.add_permits(3);
        let (_, second) = tokio::join!(first, table.gather.get(HOW_OFTEN));
        // The pilot looks round once more.
        tokio::task::yield_now().await;
        let later = table.gather.get(HOW_OFTEN).await;

        assert_eq!((second.unwrap(), later.unwrap()), (Some(1), Some(0)));
    }

    #[tokio::test]
    async fn a_flight_takes_a_bounded_number_of_keys() {
        let mut table = table(1);
        let mut all: Vec<_> = (0..40).map(|key| Box::pin(table.gather.get(key))).collect();
        for waiting in &mut all {
            assert!(futures_util::poll!(waiting).is_pending());
        }
        table.go.add_permits(10);

        let answers = join_all(all).await;

        assert!(answers.into_iter().enumerate().all(|(i, answer)| answer.unwrap() == u32::try_from(i * i).ok()));
        let mut sizes = Vec::new();
        while let Ok(keys) = table.asked.try_recv() {
            sizes.push(keys.len());
        }
        assert_eq!(sizes, [16, 16, 8]);
    }

    #[tokio::test]
    async fn a_failure_reaches_all_who_shared_it_and_no_other() {
        let table = table(1);
        table.go.add_permits(2);

        let (one, two) = tokio::join!(table.gather.get(404), table.gather.get(1));

        assert!(matches!(one, Err(GatherError::Look(_))) && matches!(two, Err(GatherError::Look(_))));
        assert_eq!(table.gather.get(1).await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn who_leaves_strands_nobody() {
        let mut table = table(1);
        let mut first = Box::pin(table.gather.get(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        table.asked.recv().await.unwrap();
        drop(first);
        table.go.add_permits(2);

        assert_eq!(table.gather.get(2).await.unwrap(), Some(4));
    }

    #[tokio::test]
    async fn a_look_up_that_panics_loses_its_own_and_no_later_one() {
        let table = table(1);
        table.go.add_permits(2);

        assert!(matches!(table.gather.get(666).await, Err(GatherError::Lost)));
        assert_eq!(table.gather.get(3).await.unwrap(), Some(9));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_is_forgotten_under_load() {
        let table = Arc::new(table(2));
        table.go.add_permits(1_000_000);

        let tasks = (0..50).map(|task| {
            let table = Arc::clone(&table);
            tokio::spawn(async move {
                for round in 0..200 {
                    let key = (task + round) % 100;
                    assert_eq!(table.gather.get(key).await.unwrap(), Some(key * key));
                }
            })
        });

        assert!(join_all(tasks).await.into_iter().all(|done| done.is_ok()));
    }
}
