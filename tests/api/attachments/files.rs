//! Files on their way out.

use reqwest::Method;
use serde_json::json;

use super::{PNG, attach, fetch, path, stored};
use crate::support::answer::Answer;
use crate::support::app::{TestApp, a_task, minutes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_url_works_for_a_while_and_for_its_file_alone() {
    for db in super::BOTH {
        let app = TestApp::on(db).await;
        let ada = app.user("ada").await;
        let task = ada.has(a_task("Report")).await;
        let one = attach(&ada, task, "a.txt", "text/plain", b"one").await.is(201).good();
        let two = attach(&ada, task, "b.txt", "text/plain", b"two").await.is(201).good();
        let (url, other) = (path(&app, &one["download_url"]), path(&app, &two["download_url"]));
        let anyone = app.anonymous();
        let (_, query) = url.split_once('?').unwrap();
        let (start, _) = other.split_once('?').unwrap();

        assert_eq!(fetch(&app, &one).await, b"one");
        for forged in [
            format!("{start}?{query}"),
            url.replace("expires=1", "expires=2"),
            format!("{}A", &url[..url.len() - 1]),
            format!("{}_", &url[..url.len() - 1]),
            format!("{url}AA"),
            url.split_once('?').unwrap().0.to_owned(),
            url.split_once('&').unwrap().0.to_owned(),
        ] {
            if forged != url {
                anyone.get(&forged).await.is(403).assert_problem("link-invalid");
            }
        }
        anyone.send(Method::DELETE, url, None, &[]).await.is(405);
        anyone.get("/files/nonsense").await.is(422);
        app.advance(minutes(15));
        anyone.get(url).await.is(403).assert_problem("link-expired");
        let fresh = ada.get(&format!("/api/attachments/{}/url", one["id"].as_str().unwrap())).await.good();
        assert_eq!(fresh["expires_at"], "2026-03-23T12:30:00Z");
        let answer = anyone.request(Method::GET, path(&app, &fresh["url"])).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "one");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_always_comes_as_a_download() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let page = attach(&ada, task, "ä \"x\".html", "text/html", b"<html><script>alert(1)</script>").await.good();
    let csv = attach(&ada, task, "a.csv", "text/csv; charset=utf-8", &b"a,b\n".repeat(1_000)).await.good();

    let answer = app.anonymous().request(Method::GET, path(&app, &page["download_url"])).send().await.unwrap();

    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"_ _x_.html\"; filename*=UTF-8''%C3%A4%20%22x%22.html"
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(header("cache-control"), "private, no-cache, no-transform");
    assert_eq!(header("content-length"), "31");
    // A text is not packed on its way, so that its parts can be asked for.
    let packed = app.anonymous().request(Method::GET, path(&app, &csv["download_url"]));
    let packed = packed.header("accept-encoding", "gzip").send().await.unwrap();
    assert!(packed.headers().get("content-encoding").is_none());
    assert_eq!(
        (packed.headers()["content-type"].to_str().unwrap(), packed.content_length()),
        ("text/csv", Some(4_000))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_file_can_be_asked_for() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
    let made = attach(&ada, task, "a", "application/octet-stream", &bytes).await.good();
    let url = path(&app, &made["download_url"]).to_owned();
    let ask = async |headers: &[(&str, &str)], method: Method| {
        let mut request = app.anonymous().request(method, &url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let told = (header("content-range"), header("content-length"), header("etag"));
        (answer.status().as_u16(), told, answer.bytes().await.unwrap().to_vec())
    };
    let (_, (_, _, tag), _) = ask(&[], Method::GET).await;
    let tag = tag.unwrap();

    for (range, first, last) in [("0-0", 0, 0), ("10-19", 10, 19), ("99999-", 99_999, 99_999), ("-5", 99_995, 99_999)] {
        let (status, (told, length, _), part) = ask(&[("range", &format!("bytes={range}"))], Method::GET).await;
        assert_eq!((status, told.unwrap()), (206, format!("bytes {first}-{last}/100000")));
        assert_eq!((length.unwrap(), &part[..]), (part.len().to_string(), &bytes[first..=last]));
    }
    let (status, (told, ..), _) = ask(&[("range", "bytes=100000-")], Method::GET).await;
    assert_eq!((status, told.as_deref()), (416, Some("bytes */100000")));
    assert_eq!(ask(&[("range", "bytes=0-1,5-6")], Method::GET).await.0, 200);
    assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", &tag)], Method::GET).await.0, 206);
    assert_eq!(ask(&[("range", "bytes=0-1"), ("if-range", "\"x\"")], Method::GET).await.0, 200);
    assert_eq!(ask(&[("if-none-match", &tag)], Method::GET).await, (304, (None, None, Some(tag.clone())), vec![]));
    let (status, (_, length, _), body) = ask(&[], Method::HEAD).await;
    assert_eq!((status, length.as_deref(), body.len()), (200, Some("100000"), 0));
    let (status, (_, length, _), _) = ask(&[("range", "bytes=1-2")], Method::HEAD).await;
    assert_eq!((status, length.as_deref()), (206, Some("2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_can_fetch_a_file_with_the_token_too() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let made = attach(&ada, task, "a.png", "image/png", PNG).await.good();
    let path = format!("/api/attachments/{}/content", made["id"].as_str().unwrap());

    let answer = ada.request(Method::GET, &path).send().await.unwrap();

    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(answer.bytes().await.unwrap(), PNG);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_damaged_in_the_store_never_ends_well() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let made = attach(&ada, task, "a", "text/plain", b"what was attached").await.good();
    let [file] = stored(&app).try_into().unwrap();
    let ask = || app.anonymous().request(Method::GET, path(&app, &made["download_url"]));

    std::fs::write(&file, b"what was altered!").unwrap();
    // The connection ends, before or after the head of the answer.
    if let Ok(altered) = ask().send().await {
        assert!(altered.bytes().await.is_err());
    }
    std::fs::write(&file, b"short").unwrap();
    Answer::of(ask()).await.is(500);
    std::fs::remove_file(&file).unwrap();
    Answer::of(ask()).await.is(500);
    assert_eq!(ada.get(&super::of(task)).await.good()["items"][0]["id"], json!(made["id"]));
}
