//! What the contract layer says about requests.

use futures_util::stream;
use poem::http::Method;
use poem::{Body, Request};

use crate::http::fake::{Answer, Fake};

async fn faults(body: &'static str) -> String {
    Fake::new().post(body).await.problem(422, "invalid-input")
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_in_words() {
    let body = r#"{"name": "", "rank": 9, "mood": "so so", "notes": [{"text": 5}, {}], "owner": "x", "weight": "1", "x/y": 1}"#;

    insta::assert_snapshot!(faults(body).await, @"
    /name: must not be empty
    /rank: must be between 1 and 5
    /mood: must be one of good, bad
    /notes/0/text: must be a string
    /notes/1/text: is required
    /owner: must be a UUID
    /weight: must be a number
    /x~1y: is not a known field; known: name, rank, mood, notes, owner, weight
    ");
}

#[tokio::test]
async fn faults_of_path_query_headers_and_body_come_together() {
    let fake = Fake::new();
    let request = fake.client.patch("/api/things/7?colour=red").header("authorization", "Bearer writer");

    let answer = request.header("if-match", "7").content_type("application/json").body(r#"{"rank": 0}"#).send().await;

    insta::assert_snapshot!(Answer::of(answer).await.problem(422, "invalid-input"), @r#"
    {thing_id}: must be a UUID
    ?colour: is not a known parameter; there are none here
    If-Match:: must be `*` or a list of entity tags such as "7"
    /rank: must be between 1 and 5
    "#);
}

#[tokio::test]
async fn lengths_count_characters_and_not_bytes() {
    assert_eq!(Fake::new().post(r#"{"name": "🦀🦀🦀🦀🦀"}"#).await.status, 201);
    insta::assert_snapshot!(faults(r#"{"name": "🦀🦀🦀🦀🦀🦀"}"#).await, @"/name: must be at most 5 characters long");
}

#[tokio::test]
async fn wrong_types_are_told_without_the_value() {
    insta::assert_snapshot!(faults("[]").await, @": must be an object");
    insta::assert_snapshot!(faults(r#"{"name": true, "rank": 1.5, "notes": {}, "mood": null}"#).await, @"
    /name: must be a string
    /rank: must be an integer
    /notes: must be a list
    /mood: must be one of good, bad
    ");
    insta::assert_snapshot!(faults(r#"{"name": "a", "rank": 99999999999999999999}"#).await, @"/rank: must be between 1 and 5");
    insta::assert_snapshot!(faults("{}").await, @"/name: is required");
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_fraction() {
    let answer = Fake::new().post(r#"{"name": "a", "rank": 3.0, "weight": 2}"#).await;

    assert_eq!(answer.json()["rank"], 3, "{}", answer.text);
}

#[tokio::test]
async fn null_clears_only_what_may_be_empty() {
    let fake = Fake::new();
    let path = "/api/things/00000000-0000-0000-0000-000000000009";

    let answer = fake.patch(path, r#"{"mood": null, "rank": null}"#).await;
    let refused = fake.patch(path, r#"{"name": null, "mood": "x", "rank": "y"}"#).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_snapshot!(refused.problem(422, "invalid-input"), @"
    /name: must be a string
    /mood: must be one of good, bad, null
    /rank: must be an integer or null
    ");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request_that_says_where() {
    let fake = Fake::new();
    for body in
        [&br#"{"name": "a", "name": "b"}"#[..], b"{", b"\xff", br#""\ud800""#, b"", b"{} {}", br#"{"rank": 1e400}"#]
    {
        fake.post(body).await.problem(400, "malformed-body");
    }
    let answer = fake.post(r#"{"name": "a", "name": "b"}"#).await.json();
    insta::assert_snapshot!(answer["detail"], @r#""The body is not valid JSON: the key `name` is given twice at line 1 column 20.""#);
}

#[tokio::test]
async fn nul_is_refused_wherever_it_stands() {
    insta::assert_snapshot!(faults(r#"{"name": "a\u0000", "notes": [{"text": "\u0000"}]}"#).await, @"
    /name: must not contain the NUL character
    /notes/0/text: must not contain the NUL character
    ");
    let answer = Fake::new().get("/api/things?q=%00").await;
    insta::assert_snapshot!(answer.problem(422, "invalid-input"), @"?q: must not contain the NUL character");
}

#[tokio::test]
async fn many_faults_are_cut_off() {
    let notes = vec!["5"; 100_000].join(",");

    let answer = Fake::new().post(format!(r#"{{"name": "a", "notes": [{notes}]}}"#)).await;

    assert_eq!(answer.problem(422, "invalid-input").lines().count(), 100);
}

#[tokio::test]
async fn the_body_must_say_that_it_is_json() {
    let fake = Fake::new();
    let send = async |kind: Option<&str>, more: Option<(&str, &str)>| {
        let mut request = fake.client.post("/api/things").header("authorization", "Bearer writer");
        request = kind.into_iter().fold(request, poem::test::TestRequestBuilder::content_type);
        request = more.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        Answer::of(request.body(r#"{"name": "a"}"#).send().await).await
    };

    for kind in ["application/json", "application/json; charset=UTF-8", "Application/JSON;charset=\"utf-8\""] {
        assert_eq!(send(Some(kind), None).await.status, 201, "{kind}");
    }
    for kind in
        ["text/plain", "application/xml", "application/json; charset=latin1", "application/merge-patch+json", ""]
    {
        send(Some(kind), None).await.problem(415, "unsupported-media-type");
    }
    let missing = send(None, None).await;
    missing.problem(415, "unsupported-media-type");
    assert_eq!(missing.header("accept"), "application/json");
    let packed = send(Some("application/json"), Some(("content-encoding", "gzip"))).await;
    packed.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn bodies_are_counted_as_they_come() {
    let fake = Fake::with(|config| config.server.max_body_bytes = 100);
    let pieces = || stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b' '; 10])));

    let declared = fake.client.post("/api/things").header("authorization", "Bearer writer");
    let declared = declared.content_type("application/json").header("content-length", "101").send().await;
    let chunked = fake.client.post("/api/things").header("authorization", "Bearer writer");
    let chunked = chunked.content_type("application/json").header("transfer-encoding", "chunked");
    let chunked = chunked.body(Body::from_bytes_stream(pieces())).send().await;

    Answer::of(declared).await.problem(413, "body-too-large");
    Answer::of(chunked).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn an_optional_body_may_be_missing() {
    let fake = Fake::new();

    let without = Answer::of(fake.client.post("/api/auth/login").send().await).await;
    let with = fake.client.post("/api/auth/login").content_type("application/json").body(r#"{"text": "a"}"#);

    assert_eq!(without.text, "\"nothing\"");
    assert_eq!(Answer::of(with.send().await).await.text, "\"a\"");
}

#[tokio::test]
async fn query_parameters_are_checked_by_name_number_and_value() {
    let fake = Fake::new();
    let path = "/api/things?limit=0&limit=2&mood=good&mood=ugly&page=2&colour=red";
    insta::assert_snapshot!(fake.get(path).await.problem(422, "invalid-input"), @"
    ?limit: must be given once
    ?mood: must be one of good, bad
    ?colour: is not a known parameter; known: limit, mood, q
    ?page: is not a known parameter; known: limit, mood, q
    ");
    insta::assert_snapshot!(fake.get("/api/things?limit=abc").await.problem(422, "invalid-input"), @"?limit: must be an integer");
    insta::assert_snapshot!(fake.get("/api/things?limit=99999999999999999999").await.problem(422, "invalid-input"), @"?limit: must be between 1 and 1000");
    insta::assert_snapshot!(fake.get("/api/things?q=%ff").await.problem(422, "invalid-input"), @"?q: must be UTF-8, percent-encoded");
    insta::assert_snapshot!(fake.get("/api/things/best?x=1").await.problem(422, "invalid-input"), @"?x: is not a known parameter; there are none here");

    let good = fake.get("/api/things?limit=7&mood=good&mood=bad&q=%C3%BC+%EF%BF%BD").await.json();
    assert_eq!(good["items"][1]["mood"], "bad");
    assert_eq!(good["items"][0]["name"], "00000000-0000-0000-0000-000000000000:7:ü \u{FFFD}");
}

#[tokio::test]
async fn an_id_that_is_none_is_told_by_its_parameter() {
    let fake = Fake::new();
    for id in ["7", "00000000000000000000000000000000", "%7B%7D", "urn:uuid:00000000-0000-0000-0000-000000000003"] {
        let answer = fake.get(&format!("/api/things/{id}")).await;
        assert_eq!(answer.problem(422, "invalid-input"), "{thing_id}: must be a UUID");
    }
}

#[tokio::test]
async fn idempotency_keys_are_1_to_255_visible_characters() {
    let fake = Fake::new();
    let send = async |key: String| {
        let request = fake.client.post("/api/things").header("authorization", "Bearer writer");
        let request = request.content_type("application/json").header("idempotency-key", key);
        Answer::of(request.body(r#"{"name": "a"}"#).send().await).await
    };

    assert_eq!(send("k".repeat(255)).await.status, 201);
    for key in ["k".repeat(256), "a b".to_owned(), String::new()] {
        assert!(send(key).await.problem(422, "invalid-input").starts_with("Idempotency-Key:: must"));
    }
}

#[tokio::test]
async fn a_body_on_a_get_is_ignored() {
    let request =
        Request::builder().uri_str("/api/things/best").header("authorization", "Bearer reader").method(Method::GET);

    assert_eq!(Fake::new().send(request.body("{")).await.status, 200);
}
