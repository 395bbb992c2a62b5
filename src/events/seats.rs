//! How many may listen at the same time, on this instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::UserId;

/// The most listeners of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatLimits {
    /// All together.
    pub most: usize,
    /// Of one user.
    pub most_per_user: usize,
}

/// Why somebody cannot listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FullError {
    /// The user listens often enough.
    #[error("at most {0} streams of one user can be open at a time")]
    User(usize),
    /// Too many listen.
    #[error("as many streams are open as this server allows")]
    Server,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_user: HashMap<UserId, usize>,
}

/// The places of listeners.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    limits: SeatLimits,
    taken: Arc<Mutex<Taken>>,
}

/// One place; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    user: UserId,
    taken: Arc<Mutex<Taken>>,
}

impl Seats {
    pub(super) fn new(limits: SeatLimits) -> Self {
        Self { limits, taken: Arc::default() }
    }

    pub(super) fn take(&self, user: UserId) -> Result<Seat, FullError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_user.get(&user).copied().unwrap_or(0);
        if own >= self.limits.most_per_user {
            return Err(FullError::User(self.limits.most_per_user));
        }
        if taken.all >= self.limits.most {
            return Err(FullError::Server);
        }
        taken.all += 1;
        taken.by_user.insert(user, own + 1);
        Ok(Seat { user, taken: Arc::clone(&self.taken) })
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        match taken.by_user.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                taken.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_limited_for_one_and_for_all_and_free_again_afterwards() {
        let seats = Seats::new(SeatLimits { most: 3, most_per_user: 2 });
        let [ada, bob] = [1, 2].map(|number| UserId(Uuid::from_u128(number)));

        let first = seats.take(ada).unwrap();
        let _second = seats.take(ada).unwrap();
        assert_eq!(seats.take(ada).unwrap_err(), FullError::User(2));
        let _third = seats.take(bob).unwrap();
        assert_eq!(seats.take(bob).unwrap_err(), FullError::Server);
        drop(first);

        assert_eq!(seats.count(), 2);
        seats.take(bob).unwrap();
        seats.take(ada).unwrap();
    }
}
