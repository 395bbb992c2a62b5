//! Work over the moments of the corpus, on several threads.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More threads than this save little time, and take it from whoever is being answered.
const MOST_THREADS: usize = 4;

/// The first of `count` for which `look` finds something, and what it is. What comes after it may not have been looked at.
pub(super) fn first_found<T: Send>(count: usize, look: impl Fn(usize) -> Option<T> + Sync) -> Option<T> {
    let (next, lowest) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || index > lowest.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(found) = look(index) {
                lowest.fetch_min(index, Ordering::Relaxed);
                return Some((index, found));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(count);
    let found = thread::scope(|scope| {
        // Where the system gives no thread, this one does it all.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let own = work();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        others.chain([own]).flatten().min_by_key(|(index, _)| *index)
    });
    found.map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_whoever_finds_another_sooner() {
        for wanted in 0..40 {
            let found = first_found(40, |index| (index >= wanted).then_some(index));

            assert_eq!(found, Some(wanted));
        }
        assert_eq!(first_found(40, |_| None::<usize>), None);
        assert_eq!(first_found(0, Some), None);
    }
}
