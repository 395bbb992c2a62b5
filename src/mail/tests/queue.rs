use std::collections::HashSet;

use super::*;

/// Takes nothing, or refuses everything.
struct Moody(bool);

#[async_trait]
impl Mailer for Moody {
    fn ready(&self) -> Result<(), MailError> {
        Ok(())
    }

    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        let said = "said ada@example.org".into();
        Err(if self.0 { MailError::Refused(said) } else { MailError::Delayed(said) })
    }
}

/// Takes for ever.
struct Slow(mpsc::UnboundedSender<Uuid>);

#[async_trait]
impl Mailer for Slow {
    fn ready(&self) -> Result<(), MailError> {
        Ok(())
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.0.send(mail.id).unwrap();
        std::future::pending().await
    }
}

/// Waits until the list is as it should be.
async fn until(post: &Post, is_so: impl Fn(&[Waiting]) -> bool) -> Vec<Waiting> {
    loop {
        let list = post.list().await.unwrap();
        if is_so(&list) {
            return list;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_waits_shows_nobody_its_address_or_its_secret() {
    for TestStore { store, .. } in &test_stores().await {
        let (post, courier) = post_over(store, &Clock::fixed(BEGIN), Arc::new(Letterbox::default()));
        courier.stop().await;
        put(store, &post, letter("ada@example.org", reset("https://x/?token=0123456789"))).await;

        let rows = store.list_mails(10).await.unwrap();

        let kept = format!("{rows:?}");
        let bytes = String::from_utf8_lossy(&rows[0].sealed);
        assert!(!kept.contains("ada@") && !bytes.contains("ada@") && !bytes.contains("0123456789"));
        assert_eq!(post.list().await.unwrap()[0].to.as_deref(), Some("ada@example.org"), "operators may know");
    }
}

#[tokio::test]
async fn what_was_sent_is_forgotten_and_of_two_instances_one_sends_it() {
    for TestStore { store, name, .. } in &test_stores().await {
        let (clock, letterbox) = (Clock::fixed(BEGIN), Arc::new(Letterbox::default()));
        let (one, _first) = post_over(store, &clock, letterbox.clone());
        let (two, _second) = post_over(store, &clock, letterbox.clone());

        for number in 0..20 {
            put(store, &one, letter(&format!("{number}@example.org"), Message::SecondFactorOn)).await;
            two.wake();
        }
        let mut sent = HashSet::new();
        for _ in 0..20 {
            assert!(sent.insert(letterbox.next().await.to), "{name}");
        }

        until(&one, <[Waiting]>::is_empty).await;
        assert!(letterbox.is_empty().await);
    }
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_later_and_what_was_refused_is_given_up() {
    for TestStore { store, name, .. } in &test_stores().await {
        let clock = Clock::fixed(BEGIN);
        let (post, moody) = post_over(store, &clock, Arc::new(Moody(false)));
        put(store, &post, letter("ada@example.org", Message::SecondFactorOn)).await;

        let list = until(&post, |list| list[0].last_error.is_some()).await;
        assert_eq!((list[0].state, list[0].attempts), ("waiting", 1), "{name}");
        let next_at = list[0].next_at.unwrap();
        assert!(next_at >= BEGIN.plus(Duration::from_secs(24)) && next_at <= BEGIN.plus(Duration::from_secs(36)));
        clock.set(next_at);
        let list = until(&post, |list| list[0].attempts == 2 && list[0].next_at > Some(next_at)).await;
        assert_eq!(list[0].last_error.as_deref(), Some("said ada@example.org"));
        moody.stop().await;

        let (strict, refusing) = post_over(store, &clock, Arc::new(Moody(true)));
        strict.retry(Some(list[0].id)).await.unwrap();
        let list = until(&strict, |list| list[0].state == "dead").await;
        assert_eq!(strict.count().await.unwrap().dead, 1);
        refusing.stop().await;

        let letterbox = Arc::new(Letterbox::default());
        let (post, _courier) = post_over(store, &clock, letterbox.clone());
        assert_eq!(post.retry(None).await.unwrap(), 1);
        assert_eq!(letterbox.next().await.id, list[0].id);
        until(&post, <[Waiting]>::is_empty).await;
    }
}

#[tokio::test]
async fn a_link_that_has_expired_is_not_sent_and_cannot_be_retried() {
    for TestStore { store, name, .. } in &test_stores().await {
        let (clock, letterbox) = (Clock::fixed(BEGIN), Arc::new(Letterbox::default()));
        let (post, courier) = post_over(store, &clock, letterbox.clone());
        courier.stop().await;
        let hour = BEGIN.plus(Duration::from_hours(1));
        put(store, &post, letter("ada@example.org", reset("https://x/")).until(hour)).await;
        clock.set(hour);

        let (post, _courier) = post_over(store, &clock, letterbox.clone());
        let list = until(&post, |list| list[0].state == "dead").await;

        assert!(list[0].last_error.as_deref().unwrap().contains("expired"), "{name}");
        assert!(letterbox.is_empty().await);
        assert_eq!(post.retry(None).await.unwrap(), 0);
        assert_eq!(post.discard(Some(list[0].id)).await.unwrap(), 1);
        assert!(post.list().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn another_instance_sends_what_one_that_died_was_sending() {
    for TestStore { store, name, .. } in &test_stores().await {
        let clock = Clock::fixed(BEGIN);
        let (sender, mut begun) = mpsc::unbounded_channel();
        let (post, died) = post_over(store, &clock, Arc::new(Slow(sender)));
        put(store, &post, letter("ada@example.org", Message::SecondFactorOn)).await;
        let id = begun.recv().await.unwrap();
        drop(died);

        let letterbox = Arc::new(Letterbox::default());
        let (_, _courier) = post_over(store, &clock, letterbox.clone());
        clock.advance(Duration::from_mins(4));
        assert!(letterbox.is_empty().await, "{name}: it may still be sent by the first");
        clock.advance(Duration::from_mins(1));

        assert_eq!(letterbox.next().await.id, id, "the same id, by which it is known again");
    }
}
