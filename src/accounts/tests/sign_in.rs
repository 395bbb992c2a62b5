use super::*;
use futures_util::future::join_all;

fn refused(outcome: &Result<SignedIn, AccountError>) -> bool {
    matches!(outcome, Err(AccountError::RefreshRefused))
}

#[tokio::test]
async fn signing_in_gives_a_caller() {
    for world in worlds().await {
        let user = world.person("ada@example.org").await;

        let tokens = world.login("ADA@example.org").await;
        let caller = world.identify(&tokens.access_token).await.unwrap();

        assert_eq!((caller.user_id, caller.scopes.to_string().as_str()), (user.id, "read write"));
        assert_eq!((tokens.expires_in, &*caller.request_id), (3600, "r-2"));
        assert_eq!(world.actions(&caller).await, ["session.created", "user.registered"]);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_is_not_told_but_logged() {
    for world in worlds().await {
        let caller = world.caller("ada@example.org").await;

        for (email, password) in [("ada@example.org", "wrong"), ("bob@example.org", GOOD), ("no address", "")] {
            let error = world.try_login(email, password).await.unwrap_err();
            assert!(matches!(error, AccountError::WrongCredentials), "{email}");
        }

        assert_eq!(world.actions(&caller).await[0], "session.refused");
    }
}

#[tokio::test]
async fn logging_out_ends_access_and_refresh_at_once() {
    for world in worlds().await {
        let caller = world.caller("ada@example.org").await;
        let tokens = world.login("ada@example.org").await;
        let second = world.identify(&tokens.access_token).await.unwrap();

        world.accounts.logout(&second, None, &origin()).await.unwrap();

        assert!(matches!(world.identify(&tokens.access_token).await, Err(GuardError::Invalid(_))));
        assert!(refused(&world.accounts.refresh(&tokens.refresh_token, &origin()).await));
        assert_eq!(
            world.accounts.list_sessions(&caller, &Paging::default()).await.unwrap().total,
            1,
            "the other goes on"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_of_somebody_else_cannot_be_logged_out() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        world.person("bob@example.org").await;
        let bobs = world.login("bob@example.org").await;

        world.accounts.logout(&ada, Some(&bobs.refresh_token), &origin()).await.unwrap();

        assert!(world.identify(&bobs.access_token).await.is_ok());
    }
}

#[tokio::test]
async fn a_used_refresh_token_is_answered_as_before_for_a_minute() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let first = world.login("ada@example.org").await.refresh_token;
        let second = world.accounts.refresh(&first, &origin()).await.unwrap();

        world.clock.advance(Duration::from_mins(1));

        assert_eq!(world.accounts.refresh(&first, &origin()).await.unwrap(), second);
        assert!(world.identify(&second.access_token).await.is_ok());
        assert_ne!(second.refresh_token, first);
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_later_ends_its_session() {
    for world in worlds().await {
        let other = world.caller("ada@example.org").await;
        let first = world.login("ada@example.org").await;
        let second = world.accounts.refresh(&first.refresh_token, &origin()).await.unwrap();

        world.clock.advance(Duration::from_secs(61));

        assert!(refused(&world.accounts.refresh(&first.refresh_token, &origin()).await));
        assert!(
            world.identify(&second.access_token).await.is_err() && world.identify(&first.access_token).await.is_err()
        );
        assert!(refused(&world.accounts.refresh(&second.refresh_token, &origin()).await));
        assert_eq!(world.actions(&other).await[0], "session.reuse_detected");
    }
}

#[tokio::test]
async fn a_refresh_token_whose_successor_was_used_is_reuse_at_any_time() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let first = world.login("ada@example.org").await.refresh_token;
        let second = world.accounts.refresh(&first, &origin()).await.unwrap();
        let third = world.accounts.refresh(&second.refresh_token, &origin()).await.unwrap();

        assert!(refused(&world.accounts.refresh(&first, &origin()).await));
        assert!(world.identify(&third.access_token).await.is_err());
    }
}

#[tokio::test]
async fn refreshes_at_the_same_time_have_one_successor() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let (token, from) = (world.login("ada@example.org").await.refresh_token, origin());

        let answers = join_all((0..8).map(|_| world.accounts.refresh(&token, &from))).await;
        let answers: Vec<SignedIn> = answers.into_iter().map(Result::unwrap).collect();

        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", world.name);
        assert!(world.accounts.refresh(&answers[0].refresh_token, &origin()).await.is_ok());
    }
}

#[tokio::test]
async fn a_session_ends_after_its_life_whatever_was_refreshed() {
    for world in worlds().await {
        world.person("ada@example.org").await;
        let first = world.login("ada@example.org").await;
        world.clock.advance(SETTINGS.session_life.saturating_sub(Duration::from_secs(10)));
        let second = world.accounts.refresh(&first.refresh_token, &origin()).await.unwrap();
        assert!(world.identify(&second.access_token).await.is_ok());

        world.clock.advance(Duration::from_secs(10));

        assert!(refused(&world.accounts.refresh(&second.refresh_token, &origin()).await));
        assert!(matches!(world.identify(&second.access_token).await, Err(GuardError::Invalid("expired"))));
    }
}

#[tokio::test]
async fn without_rotation_the_refresh_token_stays() {
    let settings = AccountSettings { rotation: Rotation::Never, ..SETTINGS };
    for world in worlds_with(settings).await {
        world.person("ada@example.org").await;
        let first = world.login("ada@example.org").await;

        for _ in 0..3 {
            let next = world.accounts.refresh(&first.refresh_token, &origin()).await.unwrap();
            assert_eq!(next.refresh_token, first.refresh_token);
            assert!(world.identify(&next.access_token).await.is_ok());
        }
    }
}

#[tokio::test]
async fn made_up_refresh_tokens_are_refused() {
    for world in worlds().await {
        for token in ["", "x", &"A".repeat(43), "\u{0}"] {
            assert!(refused(&world.accounts.refresh(token, &origin()).await));
        }
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_alone() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let other = world.login("ada@example.org").await;
        let bob = world.caller("bob@example.org").await;
        let sessions = world.accounts.list_sessions(&ada, &Paging::default()).await.unwrap().items;
        let foreign = sessions.iter().find(|session| !session.current).unwrap();

        assert_eq!(sessions.len(), 2);
        assert_eq!(foreign.user_agent.as_deref(), Some("curl/9"));
        assert_eq!(foreign.address.as_deref(), Some("192.0.2.7"));

        let refused = world.accounts.end_session(&bob, foreign.id, &origin()).await;
        assert!(matches!(refused, Err(AccountError::NotFound("session"))));
        assert!(world.identify(&other.access_token).await.is_ok());

        world.accounts.end_session(&ada, foreign.id, &origin()).await.unwrap();
        assert!(world.identify(&other.access_token).await.is_err());
    }
}

#[tokio::test]
async fn requests_of_many_people_are_told_apart() {
    for world in worlds().await {
        let mut tokens = Vec::new();
        for i in 0..20 {
            let email = format!("p{i}@example.org");
            let user = world.person(&email).await;
            tokens.push((user.id, world.login(&email).await.access_token));
        }

        let callers = join_all(tokens.iter().map(|(_, token)| world.identify(token))).await;

        for ((id, _), caller) in tokens.iter().zip(callers) {
            assert_eq!(caller.unwrap().user_id, *id, "{}", world.name);
        }
    }
}
