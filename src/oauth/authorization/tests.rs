use super::super::client::{AuthMethod, ClientKind, ClientMetadata};
use super::*;
use crate::clock::Timestamp;
use crate::ids::ClientRef;

const ISSUER: &str = "https://mindflow.example";
const GOOD: &str = "response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb\
                    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn client(kind: ClientKind, redirects: &[&str], scopes: &str) -> Arc<Client> {
    let now = Timestamp::from_micros(0);
    Arc::new(Client {
        id: ClientRef::new(now),
        client_id: "c".to_owned(),
        kind,
        name: "A client".to_owned(),
        auth_methods: vec![AuthMethod::None],
        secret_hash: None,
        metadata: ClientMetadata {
            redirect_uris: redirects.iter().map(|uri| (*uri).to_owned()).collect(),
            grant_types: vec!["authorization_code".to_owned()],
            ..ClientMetadata::default()
        },
        scopes: OAuthScopes::parse(scopes).unwrap(),
        registration_token_hash: None,
        created_at: now,
        last_used_at: None,
        expires_at: None,
        fetched_at: None,
    })
}

fn usual() -> Arc<Client> {
    client(ClientKind::Registered, &["https://a.example/cb"], "read write openid email profile offline_access")
}

fn read_for(client: &Arc<Client>, query: &str) -> Result<AuthorizationRequest, OAuthError> {
    let asked = Parameters::parse(query);
    AuthorizationRequest::read(Target::find(client, &asked)?, &asked, ISSUER)
}

fn read(more: &str) -> Result<AuthorizationRequest, OAuthError> {
    read_for(&usual(), &format!("{GOOD}&{more}"))
}

fn code(more: &str) -> &'static str {
    read(more).map_or_else(|error| error.code.as_str(), |_| "good")
}

/// The good request with one parameter another, or without it.
fn but(name: &str, value: Option<&str>) -> &'static str {
    let query = Parameters::parse(GOOD).with(name, value).to_query();
    read_for(&usual(), &query).map_or_else(|error| error.code.as_str(), |_| "good")
}

#[test]
fn a_plain_request_is_good_and_gets_what_nobody_asked_for() {
    let request = read("").unwrap();

    assert_eq!(request.scopes.to_string(), "read");
    assert_eq!(request.resources, Resources::ALL);
    assert_eq!((request.nonce, request.max_age, request.prompt), (None, None, Prompt::default()));
    assert_eq!(request.target.redirect_uri, "https://a.example/cb");
}

#[test]
fn only_codes_with_a_challenge_are_given() {
    assert_eq!(but("response_type", None), "invalid_request");
    for other in ["token", "id_token", "code token", "code id_token", "none", "CODE"] {
        assert_eq!(but("response_type", Some(other)), "unsupported_response_type", "{other}");
    }
    assert_eq!(but("code_challenge", None), "invalid_request");
    assert_eq!(but("code_challenge_method", None), "invalid_request", "it would be plain");
    for other in ["plain", "s256", "S512"] {
        assert_eq!(but("code_challenge_method", Some(other)), "invalid_request", "{other}");
    }
    for bad in
        ["short", &"a".repeat(42), &"a".repeat(44), &format!("{}=", "a".repeat(42)), &"ä".repeat(43), &"+".repeat(43)]
    {
        assert_eq!(but("code_challenge", Some(bad)), "invalid_request", "{bad}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    assert_eq!(code("request=x"), "request_not_supported");
    assert_eq!(code("request_uri=https%3A%2F%2Fa.example"), "request_uri_not_supported");
    assert_eq!(code("registration=%7B%7D"), "registration_not_supported");
    for mode in ["fragment", "form_post", "query.jwt", "web_message"] {
        assert_eq!(code(&format!("response_mode={mode}")), "invalid_request", "{mode}");
    }
    assert_eq!(code("response_mode=query&ui_locales=de&id_token_hint=x&display=page&acr_values=1&unknown=1"), "good");
}

#[test]
fn a_parameter_twice_is_refused() {
    for more in [
        "state=1&state=2",
        "scope=read&scope=read",
        "response_type=code",
        "code_challenge_method=S256",
        "nonce=&nonce=",
    ] {
        assert_eq!(code(more), "invalid_request", "{more}");
    }
    assert_eq!(code("unknown=1&unknown=2"), "good");
    let twice =
        Target::find(&usual(), &Parameters::parse(&format!("{GOOD}&redirect_uri=https%3A%2F%2Fa.example%2Fcb")));
    assert!(twice.is_err(), "nothing is certain then");
}

#[test]
fn a_scope_is_taken_as_far_as_the_client_may_ask_for_it() {
    let scopes = |more: &str| read(more).map(|request| request.scopes.to_string()).unwrap_or_default();

    assert_eq!(scopes("scope=read%20write+offline_access"), "read write offline_access");
    assert_eq!(scopes("scope=write%20nonsense"), "write");
    assert_eq!(scopes("scope=read%20admin"), "read", "never for who registered itself");
    for nothing in ["nonsense", "admin", "READ", "offline_access"] {
        assert_eq!(code(&format!("scope={nothing}")), "invalid_scope", "{nothing}");
    }
    let narrow = client(ClientKind::Static, &["https://a.example/cb"], "read admin");
    let request = read_for(&narrow, &format!("{GOOD}&scope=read%20write%20admin")).unwrap();
    assert_eq!(request.scopes.to_string(), "read admin");
}

#[test]
fn resources_are_ours_or_refused() {
    let resources = |more: &str| read(more).map(|request| request.resources.to_string()).unwrap_or_default();

    assert_eq!(resources("resource=https%3A%2F%2Fmindflow.example%2Fmcp"), "mcp");
    assert_eq!(
        resources("resource=https%3A%2F%2Fmindflow.example%2Fmcp%2F&resource=https%3A%2F%2Fmindflow.example%2Fapi"),
        "api mcp apart"
    );
    for other in ["https%3A%2F%2Fevil.example", "https%3A%2F%2Fmindflow.example%2Fmcp%23x", "mcp", "%FF"] {
        let code = code(&format!("resource=https%3A%2F%2Fmindflow.example%2Fmcp&resource={other}"));
        assert!(["invalid_target", "invalid_request"].contains(&code), "{other} {code}");
    }
}

#[test]
fn prompts_are_read_as_words() {
    let prompt = |words: &str| read(&format!("prompt={words}")).map(|request| request.prompt);

    assert_eq!(prompt("none").unwrap(), Prompt { none: true, ..Prompt::default() });
    assert_eq!(prompt("login%20consent").unwrap(), Prompt { login: true, consent: true, ..Prompt::default() });
    assert_eq!(
        prompt("create%20select_account").unwrap(),
        Prompt { create: true, select_account: true, ..Prompt::default() }
    );
    assert_eq!(prompt("").unwrap(), Prompt::default());
    for wrong in ["none%20login", "consent+none", "none%20whatever", "whatever", "Login", "login%20whatever"] {
        assert_eq!(prompt(wrong).unwrap_err().code, ErrorCode::InvalidRequest, "{wrong}");
    }
    assert_eq!(read("max_age=0").unwrap().max_age, Some(Duration::ZERO));
    for age in ["-1", "1.5", "%201", "x", "99999999999999999999"] {
        assert_eq!(code(&format!("max_age={age}")), "invalid_request", "{age}");
    }
}

#[test]
fn an_answer_goes_to_a_registered_place_exactly() {
    let client = client(ClientKind::Registered, &["https://a.example/cb?x=1", "http://127.0.0.1/cb"], "read");
    let find = |uri: &str| Target::find(&client, &Parameters::default().with("redirect_uri", Some(uri)));

    assert_eq!(find("http://127.0.0.1:4711/cb").unwrap().redirect_uri, "http://127.0.0.1:4711/cb");
    for near in [
        "https://a.example/cb?x=1&y=2",
        "https://a.example/cb?x=1#",
        "https://a.example/cb",
        "https://A.example/cb?x=1",
        "https://a.example:443/cb?x=1",
        "https://a.example/cb/?x=1",
        "https://a.example/%63b?x=1",
        "https://a.example/../cb?x=1",
        "https://a.example@evil.example/cb?x=1",
        "https://evil.example\\@a.example/cb?x=1",
        "http://localhost/cb",
        "http://127.0.0.1.evil.example/cb",
        "javascript:alert(1)",
        "\0https://a.example/cb?x=1",
    ] {
        assert_eq!(find(near).unwrap_err().code, ErrorCode::InvalidRequest, "{near}");
    }
    assert!(Target::find(&client, &Parameters::default()).is_err(), "there is more than one");
    assert_eq!(Target::find(&usual(), &Parameters::default()).unwrap().redirect_uri, "https://a.example/cb");
}

#[test]
fn who_asks_who_signs_in_says_where_the_answer_goes() {
    let find = |query: &str| Target::find(&usual(), &Parameters::parse(query)).map(|target| target.redirect_uri);

    for scope in ["openid", "read%20openid"] {
        assert_eq!(find(&format!("scope={scope}")).unwrap_err().code, ErrorCode::InvalidRequest, "{scope}");
        assert!(find(&format!("scope={scope}&redirect_uri=https%3A%2F%2Fa.example%2Fcb")).is_ok(), "{scope}");
    }
    for scope in ["read", "openids", "email"] {
        assert!(find(&format!("scope={scope}")).is_ok(), "{scope}");
    }
}

#[test]
fn an_answer_brings_the_state_back_byte_by_byte_and_says_who_answers() {
    let client = client(ClientKind::Registered, &["https://a.example/cb?x=%20"], "read");
    let target = Target::find(&client, &Parameters::parse("state=%00%FF+%2B%3D%26%23%C3%A4~")).unwrap();

    assert_eq!(
        target.success("CODE", ISSUER),
        "https://a.example/cb?x=%20&code=CODE&state=%00%FF%20%2B%3D%26%23%C3%A4~&iss=https%3A%2F%2Fmindflow.example"
    );
    let error = OAuthError::new(ErrorCode::AccessDenied, "the person said no");
    assert_eq!(
        Target { state: None, ..target }.failure(&error, ISSUER),
        "https://a.example/cb?x=%20&error=access_denied&error_description=the%20person%20said%20no\
         &iss=https%3A%2F%2Fmindflow.example"
    );
}

#[test]
fn a_client_without_the_grant_type_gets_no_code() {
    let mut other = Arc::unwrap_or_clone(usual());
    other.metadata.grant_types = vec!["client_credentials".to_owned()];

    assert_eq!(read_for(&Arc::new(other), GOOD).unwrap_err().code, ErrorCode::UnauthorizedClient);
}

proptest::proptest! {
    #[test]
    fn whatever_is_asked_is_judged(query in "[ -~]{0,200}", more in ".{0,50}") {
        let asked = Parameters::parse(&format!("{query}&{more}"));
        if let Ok(target) = Target::find(&usual(), &asked) {
            let _ = AuthorizationRequest::read(target, &asked, ISSUER);
        }
        assert_eq!(Parameters::parse(&asked.to_query()), asked);
    }
}
