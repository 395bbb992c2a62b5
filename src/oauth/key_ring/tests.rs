use std::fs;

use super::*;
use crate::oauth::keys::SigningKey;
use crate::store::testing::{TestStore, test_stores};

const LIFE: Duration = Duration::from_hours(1);
const SECRET: &str = "the secret of this server";
const OTHER: &str = "another secret of another server";

struct World {
    test: TestStore,
    clock: Clock,
    data: tempfile::TempDir,
}

async fn worlds() -> Vec<World> {
    let world = |test| World {
        test,
        clock: Clock::fixed(Timestamp::from_micros(1_800_000_000_000_000)),
        data: tempfile::tempdir().unwrap(),
    };
    test_stores().await.into_iter().map(world).collect()
}

impl World {
    fn parts<'a>(&self, secret: &str, files: &'a Path) -> RingParts<'a> {
        let (store, clock) = (self.test.store.clone(), self.clock.clone());
        RingParts { store, secret: SecretKey::new(secret), clock, token_life: LIFE, files }
    }

    async fn open(&self) -> KeyRing {
        KeyRing::open(self.parts(SECRET, &self.data.path().join("keys"))).await.unwrap()
    }

    fn add_file(&self, name: &str, seconds_old: u64) -> String {
        let folder = self.data.path().join("keys");
        fs::create_dir_all(&folder).unwrap();
        let (key, pem) = SigningKey::generate().unwrap();
        let path = folder.join(name);
        fs::write(&path, &*pem).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - Duration::from_secs(seconds_old)).unwrap();
        key.kid().to_owned()
    }
}

fn signs(ring: &KeyRing) -> String {
    ring.keys().active().kid().to_owned()
}

fn published(ring: &KeyRing) -> usize {
    ring.keys().jwks().keys.len()
}

async fn states(ring: &KeyRing) -> Vec<&'static str> {
    ring.list().await.unwrap().iter().map(|row| row.state.as_str()).collect()
}

#[tokio::test]
async fn the_first_start_makes_a_key_and_others_use_it() {
    for world in worlds().await {
        let first = world.open().await;
        let second = world.open().await;

        assert_eq!(signs(&first), signs(&second), "{}", world.test.name);
        assert_eq!((states(&first).await, published(&first)), (vec!["active"], 1));
        assert!(!world.data.path().join("keys").exists());
    }
}

#[tokio::test]
async fn instances_that_start_at_once_end_with_one_key() {
    for world in worlds().await {
        let rings = futures_util::future::join_all((0..4).map(|_| world.open())).await;

        let kids: Vec<_> = rings.iter().map(signs).collect();
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{}: {kids:?}", world.test.name);
        assert_eq!(states(&rings[0]).await, ["active"]);
    }
}

#[tokio::test]
async fn keys_of_the_data_folder_are_taken_over_and_their_files_removed() {
    for world in worlds().await {
        let old = world.add_file("old.pem", 100);
        let new = world.add_file("new.pem", 0);

        let ring = world.open().await;

        assert_eq!(signs(&ring), new, "the newest");
        assert!(ring.keys().find(&old).is_some(), "what the other signed is still good");
        assert_eq!(states(&ring).await.len(), 2);
        assert!(!world.data.path().join("keys").exists());

        let late = world.add_file("late.pem", 0);
        let ring = world.open().await;
        assert_eq!(signs(&ring), new, "there is an active one");
        assert!(ring.keys().find(&late).is_some());
    }
}

#[tokio::test]
async fn keys_are_sealed_under_the_servers_secret() {
    for world in worlds().await {
        let ring = world.open().await;

        let sealed = world.test.store.list_keys().await.unwrap().remove(0).sealed;
        assert!(!sealed.windows(7).any(|window| window == b"PRIVATE"));
        let other = KeyRing::open(world.parts(OTHER, Path::new("none"))).await;
        assert!(matches!(other, Err(KeyError::Sealed)));
        assert_eq!(states(&ring).await, ["active"], "nothing was changed");
    }
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_verifies_after_it_has() {
    for world in worlds().await {
        let ring = world.open().await;
        let first = signs(&ring);
        ring.maintain().await.unwrap();
        assert_eq!(states(&ring).await, ["active"]);

        world.clock.advance(SIGNS_FOR.saturating_sub(PUBLISHED_FOR));
        ring.maintain().await.unwrap();
        ring.maintain().await.unwrap();
        assert_eq!((states(&ring).await, signs(&ring)), (vec!["active", "next"], first.clone()));
        assert_eq!(published(&ring), 2);

        world.clock.advance(PUBLISHED_FOR.saturating_sub(Duration::from_secs(1)));
        ring.maintain().await.unwrap();
        assert_eq!(signs(&ring), first);

        world.clock.advance(Duration::from_secs(1));
        ring.maintain().await.unwrap();
        assert_ne!(signs(&ring), first);
        assert!(ring.keys().find(&first).is_some());
        assert_eq!(states(&ring).await, ["retired", "active"]);

        world.clock.advance((LIFE + STAYS_FOR).saturating_sub(Duration::from_secs(1)));
        ring.maintain().await.unwrap();
        assert!(ring.keys().find(&first).is_some());
        world.clock.advance(Duration::from_secs(1));
        ring.maintain().await.unwrap();
        assert!(ring.keys().find(&first).is_none());
        assert_eq!(states(&ring).await, ["active"]);
    }
}

#[tokio::test]
async fn instances_that_rotate_at_once_end_with_one_key() {
    for world in worlds().await {
        let rings = futures_util::future::join_all((0..3).map(|_| world.open())).await;
        let first = signs(&rings[0]);
        for _ in 0..2 {
            world.clock.advance(SIGNS_FOR);
            let done = futures_util::future::join_all(rings.iter().map(KeyRing::maintain)).await;
            assert!(done.iter().all(Result::is_ok), "{}: {done:?}", world.test.name);
        }
        for ring in &rings {
            ring.refresh().await.unwrap();
        }

        assert_eq!(states(&rings[0]).await, ["retired", "active"], "{}", world.test.name);
        assert!(rings.iter().all(|ring| signs(ring) == signs(&rings[0]) && signs(ring) != first));
    }
}

#[tokio::test]
async fn a_rotation_by_hand_waits_until_everybody_knows_the_key() {
    for world in worlds().await {
        let ring = world.open().await;
        let first = signs(&ring);

        let announced = ring.rotate(Rotate::Announced).await.unwrap();
        let again = ring.rotate(Rotate::Announced).await.unwrap();

        assert_eq!(announced, again, "there is a next key already");
        assert_eq!(announced.signs_from, world.clock.now().plus(PUBLISHED_FOR));
        assert_eq!(signs(&ring), first);
        world.clock.advance(PUBLISHED_FOR);
        ring.maintain().await.unwrap();
        assert_eq!(signs(&ring), announced.kid);
    }
}

#[tokio::test]
async fn a_rotation_at_once_keeps_the_old_key() {
    for world in worlds().await {
        let ring = world.open().await;
        let first = signs(&ring);

        let rotated = ring.rotate(Rotate::AtOnce).await.unwrap();

        assert_eq!((signs(&ring), rotated.signs_from), (rotated.kid, world.clock.now()));
        assert!(ring.keys().find(&first).is_some());
    }
}

#[tokio::test]
async fn keys_that_leaked_or_cannot_be_opened_are_given_up() {
    for world in worlds().await {
        let ring = world.open().await;
        let first = signs(&ring);

        let anew = KeyRing::open_anew(world.parts(SECRET, Path::new("none"))).await.unwrap();
        ring.refresh().await.unwrap();
        assert_ne!(signs(&anew), first);
        assert_eq!((signs(&ring), published(&ring)), (signs(&anew), 1));

        let others = KeyRing::open_anew(world.parts(OTHER, Path::new("none"))).await.unwrap();
        assert_eq!(states(&others).await, ["active"]);
        assert!(matches!(ring.refresh().await, Err(KeyError::Sealed)), "the keys in force stay");
        assert_eq!(signs(&ring), signs(&anew));
    }
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_but_not_at_every_request() {
    for world in worlds().await {
        let (ours, theirs) = (world.open().await, world.open().await);
        ours.rotate(Rotate::AtOnce).await.unwrap();

        theirs.look_again().await;
        assert_eq!(signs(&theirs), signs(&ours));

        ours.rotate(Rotate::AtOnce).await.unwrap();
        theirs.look_again().await;
        assert_ne!(signs(&theirs), signs(&ours), "just looked");
        world.clock.advance(LOOKS_AGAIN);
        theirs.look_again().await;
        assert_eq!(signs(&theirs), signs(&ours));
    }
}

#[tokio::test]
async fn a_configured_key_is_no_ring() {
    let (key, _) = SigningKey::generate().unwrap();
    let ring = KeyRing::fixed(KeySet::new(key, Vec::new()).unwrap());

    ring.maintain().await.unwrap();
    ring.look_again().await;

    assert!(matches!(ring.rotate(Rotate::AtOnce).await, Err(KeyError::Configured)));
    assert!(matches!(ring.list().await, Err(KeyError::Configured)));
}
