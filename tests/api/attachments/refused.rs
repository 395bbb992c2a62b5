//! What is not taken, and that nothing is left of it.

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{PNG, attach, form, of, stored};
use crate::support::answer::Answer;
use crate::support::app::{TestApp, a_task};

/// What is left of an upload is removed beside.
async fn nothing_is_left(app: &TestApp) {
    let left = async {
        while !stored(app).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), left).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_as_large_as_it_may_be_and_not_a_byte_more() {
    let app = TestApp::with(|config| config.attachments.max_bytes = 1_000_000).await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let chunked = |size: usize| {
        let pieces = vec![vec![b'x'; 100_000]; size / 100_000];
        let pieces = pieces.into_iter().chain([vec![b'x'; size % 100_000]]).map(Ok::<_, std::io::Error>);
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        ada.request(Method::POST, &of(task)).header("content-type", "text/plain").body(body)
    };

    attach(&ada, task, "a", "text/plain", &vec![b'x'; 1_000_000]).await.is(201);
    Answer::of(chunked(1_000_000)).await.is(201);

    let by_header = attach(&ada, task, "a", "text/plain", &vec![b'x'; 1_000_001]).await.is(413);
    by_header.assert_problem("content-too-large");
    Answer::of(chunked(1_000_001)).await.is(413).assert_problem("content-too-large");
    let sent = form(ada.request(Method::POST, &of(task)), &[("name=\"file\"", &vec![b'x'; 1_000_001])]);
    Answer::of(sent).await.is(413).assert_problem("content-too-large");
    // The body limit of everything else does not count here, nor this one there.
    assert_eq!(ada.get(&of(task)).await.header("x-total-count"), Some("2"));
    assert_eq!(stored(&app).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_files_and_tricky_names_are_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    assert_eq!(attach(&ada, task, "a", "text/plain", b"").await.faults(), [""]);
    let long = "ä".repeat(128);
    for name in ["../../etc/passwd", "a/b", "a\\b", "..", " ", "a\0b", "a\nb", "photo_\u{202E}gpj.exe", &long] {
        assert_eq!(attach(&ada, task, name, "text/plain", b"x").await.faults(), ["?filename"], "{name:?}");
    }
    for disposition in ["attachment; filename=\"../a\"", "x; filename*=UTF-8''%2e%2e", "x; filename*=latin1''a"] {
        let request = ada.request(Method::POST, &of(task)).header("content-disposition", disposition).body("x");
        assert_eq!(Answer::of(request).await.faults(), ["Content-Disposition:"], "{disposition}");
    }
    let sent = form(ada.request(Method::POST, &of(task)), &[("name=\"file\"; filename=\"a/b\"", b"x")]);
    assert_eq!(Answer::of(sent).await.faults(), ["/file"]);
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_is_not_so_or_not_taken_is_refused() {
    let app = TestApp::with(|config| {
        config.attachments.allowed_types = vec!["image/*".to_owned(), "text/html".to_owned(), "text/plain".to_owned()];
    })
    .await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;

    let refused = attach(&ada, task, "a.pdf", "application/pdf", b"%PDF-1.7").await.is(415);
    refused.assert_problem("unsupported-media-type");
    attach(&ada, task, "a", "nonsense", b"x").await.is(415).assert_problem("unsupported-media-type");
    attach(&ada, task, "a.png", "image/png", b"<html></html>").await.is(415).assert_problem("content-mismatch");
    attach(&ada, task, "a.png", "image/png", b"\x7fELF\x02\x01\x01\0").await.is(415).assert_problem("content-mismatch");
    attach(&ada, task, "a.txt", "text/plain", PNG).await.is(415).assert_problem("content-mismatch");
    let large = [b"\x7fELF\x02\x01\x01\0".as_slice(), &vec![0; 3_000_000]].concat();
    attach(&ada, task, "a.png", "image/png", &large).await.is(415).assert_problem("content-mismatch");
    let packed = ada.request(Method::POST, &of(task)).header("content-encoding", "gzip").body("x");
    Answer::of(packed).await.is(415);
    nothing_is_left(&app).await;

    attach(&ada, task, "a.png", "image/png", PNG).await.is(201);
    let page = attach(&ada, task, "a.html", "text/html", b"<html><script>alert(1)</script>").await.is(201).good();
    assert_eq!(page["content_type"], "application/octet-stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_have_one_part_that_is_the_file() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let file = ("name=\"file\"; filename=\"a.png\"", PNG);
    let send = async |parts: &[(&str, &[u8])]| Answer::of(form(ada.request(Method::POST, &of(task)), parts)).await;

    assert_eq!(send(&[]).await.faults(), ["/file"]);
    assert_eq!(send(&[("name=\"picture\"; filename=\"a.png\"", PNG)]).await.faults(), ["/picture"]);
    assert_eq!(send(&[file, ("name=\"note\"", b"x")]).await.faults(), ["/note"]);
    assert_eq!(send(&[file, file]).await.faults(), ["/file"]);
    for (kind, body) in [
        ("multipart/form-data", "x"),
        ("multipart/form-data; boundary=x", "nonsense"),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf"),
    ] {
        let request = ada.request(Method::POST, &of(task)).header("content-type", kind).body(body);
        Answer::of(request).await.is(400).assert_problem("malformed-body");
    }
    let endless = format!("--x\r\nContent-Disposition: {}", "x".repeat(2_000_000));
    let request = ada.request(Method::POST, &of(task)).header("content-type", "multipart/form-data; boundary=x");
    Answer::of(request.body(endless)).await.is(400);
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_and_a_person_have_so_much_room() {
    for db in super::BOTH {
        let app = TestApp::start(db, |config| {
            config.attachments.per_task = 2;
            config.attachments.quota_bytes = Some(100);
        })
        .await;
        let (ada, eve) = (app.user("ada").await, app.user("eve").await);
        let (task, other) = (ada.has(a_task("Report")).await, ada.has(a_task("Other")).await);
        let first = attach(&ada, task, "a", "text/plain", &[b'x'; 40]).await.is(201).good();
        attach(&ada, task, "b", "text/plain", &[b'x'; 40]).await.is(201);

        attach(&ada, task, "c", "text/plain", b"x").await.is(409).assert_problem("too-many-attachments");
        attach(&ada, other, "c", "text/plain", &[b'x'; 21]).await.is(413).assert_problem("quota-used-up");
        attach(&ada, other, "c", "text/plain", &[b'x'; 20]).await.is(201);
        let hers = eve.has(a_task("Hers")).await;
        attach(&eve, hers, "a", "text/plain", &[b'x'; 100]).await.is(201);
        // What was deleted makes room, but not without end: it is kept for a day.
        ada.delete(&format!("/api/attachments/{}", first["id"].as_str().unwrap())).await.is(204);
        for _ in 0..2 {
            let made = attach(&ada, other, "d", "text/plain", &[b'x'; 40]).await.is(201).good();
            ada.delete(&format!("/api/attachments/{}", made["id"].as_str().unwrap())).await.is(204);
        }
        attach(&ada, other, "d", "text/plain", &[b'x'; 40]).await.is(413).assert_problem("quota-used-up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_or_stalls_leaves_nothing() {
    let app = TestApp::with(|config| config.server.body_timeout = Duration::from_secs(1)).await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let address = app.url().strip_prefix("http://").unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\nContent-Length: 4000000\r\n\r\n",
        of(task),
        ada.token.as_ref().unwrap()
    );
    let begun = async || {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&vec![b'x'; 3_000_000]).await.unwrap();
        socket
    };

    // One that is silent is told so.
    let mut silent = begun().await;
    let mut answer = [0; 12];
    silent.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    nothing_is_left(&app).await;
    // One that goes away takes all with it.
    let gone = begun().await;
    while stored(&app).is_empty() {
        tokio::task::yield_now().await;
    }
    drop(gone);
    nothing_is_left(&app).await;

    assert_eq!(ada.get(&of(task)).await.good()["items"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_before_it_comes_is_not_asked_for() {
    let app = TestApp::with(|config| config.attachments.max_bytes = 1_000).await;
    let ada = app.user("ada").await;
    let task = ada.has(a_task("Report")).await;
    let address = app.url().strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
        of(task),
        ada.token.as_ref().unwrap()
    );

    socket.write_all(head.as_bytes()).await.unwrap();

    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
