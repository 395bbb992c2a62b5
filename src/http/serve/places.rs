//! How many connections there may be: all together, and of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::client_address::Proxies;
use crate::http::limits::network;

/// How many files the process needs besides connections of clients: databases, policies, libraries.
const OTHER_FILES: usize = 128;

/// How many connections each address has.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The places for connections.
pub(super) struct Places {
    most: usize,
    free: Arc<Semaphore>,
    most_per_address: usize,
    taken: Taken,
    proxies: Proxies,
}

/// A place that is taken, until this is dropped.
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    address: Option<(IpAddr, Taken)>,
}

impl Places {
    /// Places for `most` connections, or as many as the process may have files open.
    pub(super) fn new(most: usize, most_per_address: usize, proxies: Proxies) -> Self {
        let most = match open_files() {
            Some(files) if files < most + OTHER_FILES => {
                let fewer = files.saturating_sub(OTHER_FILES).max(files / 2).max(1);
                tracing::warn!(most = fewer, files, "the system lets the process have fewer connections than it may");
                fewer
            }
            _ => most,
        };
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { most, free: Arc::new(Semaphore::new(most)), most_per_address, taken: Arc::default(), proxies }
    }

    /// Takes a place for a connection from `peer`; `None` when there is none.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Place> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let peer = peer.to_canonical();
        if self.most_per_address == 0 || peer.is_loopback() || self.proxies.trusts(peer) {
            return Some(Place { _place: place, address: None });
        }
        let address = network(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(address).or_insert(0);
        if *own >= self.most_per_address {
            return None;
        }
        *own += 1;
        Some(Place { _place: place, address: Some((address, Arc::clone(&self.taken))) })
    }

    /// Done when every place is free, or the time is over.
    pub(super) async fn all_free(&self, within: Duration) -> bool {
        let every = u32::try_from(self.most).unwrap_or(u32::MAX);
        tokio::time::timeout(within, self.free.acquire_many(every)).await.is_ok()
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.most.saturating_sub(self.free.available_permits())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((address, taken)) = &self.address else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(address) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(address);
            }
        }
    }
}

/// How many files the process may have open, after it asked for as many as it may ask for.
#[cfg(unix)]
fn open_files() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(1_048_576, |most| most.min(1_048_576));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return usize::try_from(wanted).ok();
        }
    }
    limit.current.and_then(|current| usize::try_from(current).ok())
}

#[cfg(not(unix))]
const fn open_files() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn places(most: usize, most_per_address: usize) -> Places {
        let mut server = Config::default().server;
        server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Places::new(most, most_per_address, Proxies::new(&server))
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = places(2, 0);
        let peer: IpAddr = "203.0.113.7".parse().unwrap();

        let (first, second) = (places.take(peer), places.take(peer));
        assert!(first.is_some() && second.is_some() && places.take(peer).is_none());
        drop(first);
        assert!(places.take(peer).is_some());
    }

    #[test]
    fn an_address_has_its_share_and_proxies_and_this_machine_have_more() {
        let places = places(100, 2);
        let take = |peer: &str| places.take(peer.parse().unwrap());

        let mine = [take("203.0.113.7"), take("::ffff:203.0.113.7")];
        assert!(mine.iter().all(Option::is_some) && take("203.0.113.7").is_none());
        let six = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(six.iter().all(Option::is_some) && take("2001:db8::3").is_none());
        let others: Vec<_> = (0..5).flat_map(|_| [take("10.0.0.1"), take("127.0.0.1"), take("::1")]).collect();
        assert!(others.iter().all(Option::is_some));
        drop(mine);
        assert!(take("203.0.113.7").is_some());
        drop(six);
        drop(others);
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
