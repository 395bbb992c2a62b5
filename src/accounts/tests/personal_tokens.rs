use super::*;
use crate::accounts::personal_tokens::NewToken;
use crate::ids::TokenId;

fn token(scopes: &str) -> NewToken {
    NewToken { name: "backup".to_owned(), scopes: Scopes::parse(scopes).unwrap(), expires_at: None }
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_within_its_scopes() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;

        let (made, text) = world.accounts.create_token(&ada, token("read"), &origin()).await.unwrap();
        let caller = world.identify(&text).await.unwrap();

        assert!(text.starts_with("mf_") && text.len() == 46);
        assert_eq!(caller.user_id, ada.user_id);
        assert_eq!(
            (caller.scopes.to_string().as_str(), caller.credential),
            ("read", Credential::PersonalToken(made.id))
        );
        assert_eq!(world.accounts.list_tokens(&ada, &Paging::default()).await.unwrap().items[0].id, made.id);
    }
}

#[tokio::test]
async fn a_token_cannot_make_tokens_nor_exceed_its_maker() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (_, text) = world.accounts.create_token(&ada, token("read write"), &origin()).await.unwrap();
        let holder = world.identify(&text).await.unwrap();

        let by_token = world.accounts.create_token(&holder, token("read"), &origin()).await;
        let too_much = world.accounts.create_token(&ada, token("admin"), &origin()).await;

        assert!(matches!(by_token, Err(AccountError::SessionNeeded)));
        assert!(matches!(too_much, Err(AccountError::ScopeExceeded("admin"))));
        let logout = world.accounts.logout(&holder, None, &origin()).await;
        assert!(matches!(logout, Err(AccountError::SessionNeeded)));
    }
}

#[tokio::test]
async fn a_token_ends_when_it_was_told_to_and_when_it_is_deleted() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let new = NewToken { expires_at: Some("2027-02-01".to_owned()), ..token("read") };
        let (made, dated) = world.accounts.create_token(&ada, new, &origin()).await.unwrap();
        let (deleted, text) = world.accounts.create_token(&ada, token("read"), &origin()).await.unwrap();

        world.accounts.delete_token(&ada, deleted.id, &origin()).await.unwrap();
        assert!(world.identify(&text).await.is_err());
        assert!(world.identify(&dated).await.is_ok());
        world.clock.set(made.expires_at.unwrap());
        assert!(matches!(world.identify(&dated).await, Err(GuardError::Invalid("expired"))));
        assert_eq!(made.expires_at.unwrap().to_string(), "2027-02-01T00:00:00Z");
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_is_not_there() {
    for world in worlds().await {
        let (ada, bob) = (world.caller("ada@example.org").await, world.caller("bob@example.org").await);
        let (made, text) = world.accounts.create_token(&ada, token("read"), &origin()).await.unwrap();

        for id in [made.id, TokenId::new(world.clock.now())] {
            let refused = world.accounts.delete_token(&bob, id, &origin()).await;
            assert!(matches!(refused, Err(AccountError::NotFound(_))));
        }

        assert!(world.identify(&text).await.is_ok());
        assert!(world.accounts.list_tokens(&bob, &Paging::default()).await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn bad_tokens_are_refused_with_all_faults() {
    let world = worlds().await.remove(0);
    let ada = world.caller("ada@example.org").await;

    for expires_at in ["2020-01-01", "2026-02-30", "soon"] {
        let new = NewToken { name: " ".to_owned(), scopes: Scopes::default(), expires_at: Some(expires_at.to_owned()) };
        let error = world.accounts.create_token(&ada, new, &origin()).await.unwrap_err();
        assert_eq!(fields(error), ["/name", "/expires_at", "/scopes"], "{expires_at}");
    }
    for text in ["mf_", "mf_x", &format!("mf_{}", "A".repeat(43))] {
        assert!(matches!(world.identify(text).await, Err(GuardError::Invalid(_))));
    }
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_behind_the_requests_back() {
    for world in worlds().await {
        let ada = world.caller("ada@example.org").await;
        let (_, text) = world.accounts.create_token(&ada, token("read"), &origin()).await.unwrap();
        assert_eq!(world.accounts.list_tokens(&ada, &Paging::default()).await.unwrap().items[0].last_used_at, None);
        world.tick();

        world.identify(&text).await.unwrap();

        let noted = async {
            while world.accounts.list_tokens(&ada, &Paging::default()).await.unwrap().items[0].last_used_at.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
        assert_eq!(world.actions(&ada).await[0], "token.used");
    }
}
