//! Clients that send slowly, read slowly, send nonsense, or are many: over real sockets.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::app::{PASSWORD, TestApp};

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url().trim_start_matches("http://")).await.unwrap()
}

/// Sends bytes and reads until the server closes the connection.
async fn send(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = connect(app).await;
    stream.write_all(bytes).await.unwrap();
    read_all(&mut stream).await
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    String::from_utf8(read).unwrap()
}

/// The problem document of an answer as it was sent, after looking at everything that each answer has.
#[track_caller]
fn problem(answer: &str, status: u16, kind: &str) -> Value {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    for header in [
        "content-type: application/problem+json",
        "x-content-type-options: nosniff",
        "connection: close",
        "content-security-policy: ",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {answer}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["type"], &body["status"]), (&json!(format!("urn:mindflow:problem:{kind}")), &json!(status)));
    assert!(head.contains(&format!("x-request-id: {}", body["request_id"].as_str().unwrap())), "{answer}");
    body
}

#[tokio::test]
async fn what_is_no_request_is_answered_with_a_problem() {
    let app = TestApp::new().await;
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nname : space\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        // No host, and two.
        b"GET /health HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
    ] {
        problem(&send(&app, bytes).await, 400, "malformed-request");
    }
    app.anonymous().get("/health").await.is(200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_told_so() {
    let app = TestApp::new().await;
    let header = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(100_000));
    let line = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000));
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(9000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));

    problem(&send(&app, header.as_bytes()).await, 431, "headers-too-large");
    problem(&send(&app, line.as_bytes()).await, 414, "target-too-long");
    problem(&send(&app, long.as_bytes()).await, 414, "target-too-long");
    problem(&send(&app, many.as_bytes()).await, 431, "headers-too-large");
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_told_so() {
    let app = TestApp::with(|config| config.connections.header_timeout = Duration::from_millis(300)).await;
    let mut stream = connect(&app).await;

    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let answer = read_all(&mut stream).await;

    problem(&answer, 408, "head-too-slow");
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_told_so() {
    let app = TestApp::with(|config| config.server.body_timeout = Duration::from_millis(300)).await;
    let mut stream = connect(&app).await;

    stream.write_all(b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    let answer = read_all(&mut stream).await;

    problem(&answer, 408, "body-too-slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_is_let_go_and_the_others_are_served() {
    let app = TestApp::with(|config| config.connections.write_timeout = Duration::from_millis(500)).await;
    let document = app.anonymous().request(reqwest::Method::GET, "/openapi.json").send().await.unwrap();
    let size = document.bytes().await.unwrap().len();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(app.url().trim_start_matches("http://").parse().unwrap()).await.unwrap();

    // Far more than the system keeps for a client.
    let wanted = 20_000_000 / size;
    stream.write_all("GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(wanted).as_bytes()).await.unwrap();
    app.anonymous().get("/health").await.is(200);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut gone = false;
    for _ in 0..600 {
        ticks.tick().await;
        // A connection that the server has closed takes no more.
        gone = gone || stream.write_all(b"GET / HTTP/1.1\r\n").await.is_err();
        if gone {
            break;
        }
    }

    assert!(gone);
    app.anonymous().get("/health").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_that_do_nothing_keep_nobody_out() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let silent = join_all((0..600).map(|_| connect(&app))).await;
    let mut slow = join_all((0..400).map(|_| connect(&app))).await;
    for stream in &mut slow {
        stream.write_all(b"POST /api/tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n").await.unwrap();
    }

    for _ in 0..5 {
        ada.get("/api/tasks").await.is(200);
        ada.create_task(json!({ "title": "while they wait" })).await.is(201);
    }

    assert_eq!(silent.len() + slow.len(), 1000);
}

#[tokio::test]
async fn beyond_the_most_connections_one_is_told_to_come_back() {
    let app = TestApp::with(|config| config.connections.most = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        held.push(stream);
    }

    let answer = read_all(&mut connect(&app).await).await;
    problem(&answer, 503, "too-many-connections");
    assert!(answer.to_ascii_lowercase().contains("retry-after: 1"));

    drop(held);
    crate::support::redis::eventually(async || {
        let mut stream = connect(&app).await;
        let asked = stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        asked.is_ok() && read_all(&mut stream).await.starts_with("HTTP/1.1 200")
    })
    .await;
}

#[tokio::test]
async fn http_2_is_spoken_to_who_knows_it() {
    let app = TestApp::new().await;
    let mut stream = connect(&app).await;

    // The preface, and settings without any.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();

    assert_eq!((frame[3], &frame[5..]), (4, &[0; 4][..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_server_says_so_at_once_and_is_healthy() {
    let app = TestApp::with(|config| {
        config.limits.requests_at_work = 1;
        config.limits.work_wait = Duration::ZERO;
    })
    .await;
    app.user("ada").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });

    let asked = (0..12).map(|_| async { app.anonymous().post("/api/auth/login", &login).await });
    let anonymous = app.anonymous();
    let (answers, health) = tokio::join!(join_all(asked), anonymous.get("/health"));

    health.is(200);
    let (good, busy): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!good.is_empty() && !busy.is_empty(), "{} {}", good.len(), busy.len());
    for answer in busy {
        assert_eq!(answer.header("retry-after"), Some("1"));
        answer.is(503).assert_problem("overloaded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_send_slowly_take_nobodys_place() {
    let app = TestApp::with(|config| config.limits.requests_at_work = 2).await;
    let ada = app.user("ada").await;
    let mut slow = join_all((0..20).map(|_| connect(&app))).await;
    let token = ada.token.clone().unwrap();
    for stream in &mut slow {
        let head = format!(
            "POST /api/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
    }

    ada.create_task(json!({ "title": "quick" })).await.is(201);
}
