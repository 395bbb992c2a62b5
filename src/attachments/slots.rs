//! How many uploads may be under way: each holds some memory and a place in the object store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::AttachmentError;
use crate::ids::UserId;

/// The most uploads of one person at a time.
pub(super) const PER_PERSON: usize = 4;
/// The most uploads of everybody at a time; with buckets, each may hold 15 MiB.
const ALL: usize = 24;

/// The uploads under way.
#[derive(Debug)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    of: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// One of them; over when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    person: UserId,
    of: Arc<Mutex<HashMap<UserId, usize>>>,
    _one_of_all: OwnedSemaphorePermit,
}

impl Default for Slots {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ALL)), of: Arc::default() }
    }
}

impl Slots {
    /// Begins an upload of `person`.
    pub(super) fn enter(&self, person: UserId) -> Result<Slot, AttachmentError> {
        let permit = Arc::clone(&self.all).try_acquire_owned().map_err(|_| AttachmentError::Busy)?;
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of.entry(person).or_default();
        if *count >= PER_PERSON {
            return Err(AttachmentError::TooManyAtOnce(*count));
        }
        *count += 1;
        drop(of);
        Ok(Slot { person, of: Arc::clone(&self.of), _one_of_all: permit })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                of.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_person_has_a_few_and_all_together_some_more() {
        let slots = Slots::default();
        let person = |number| UserId(Uuid::from_u128(number));

        let mut taken: Vec<_> = (0..PER_PERSON).map(|_| slots.enter(person(0)).unwrap()).collect();
        assert!(matches!(slots.enter(person(0)), Err(AttachmentError::TooManyAtOnce(PER_PERSON))));
        taken.pop();
        taken.push(slots.enter(person(0)).unwrap());
        taken.extend((PER_PERSON..ALL).map(|number| slots.enter(person(number as u128)).unwrap()));

        assert!(matches!(slots.enter(person(1_000)), Err(AttachmentError::Busy)));
        drop(taken);
        assert!(slots.of.lock().unwrap().is_empty() && slots.enter(person(1_000)).is_ok());
    }
}
