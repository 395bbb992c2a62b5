use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use super::*;

const PATIENCE: Patience =
    Patience { idle: Duration::from_secs(10), head: Duration::from_secs(4), write: Duration::from_secs(6) };

fn pair() -> (DuplexStream, Stream<DuplexStream>, Arc<Activity>) {
    let (client, server) = duplex(64);
    let activity = Arc::new(Activity::default());
    (client, Stream::new(server, PATIENCE, Arc::clone(&activity)), activity)
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_ends_and_one_in_use_does_not() {
    let (mut client, mut server, activity) = pair();
    let start = Instant::now();

    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(9)).await;
        client.write_all(b"a").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'a');
        drop(Running::begin(&activity));
        server.write_all(b"b").await.unwrap();
    }

    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    assert_eq!((start.elapsed().as_secs(), server.ended()), (3 * 9 + 10, Some(Ended::Idle)));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_answer_is_not_idle() {
    let (mut client, mut server, activity) = pair();

    client.write_all(b"a").await.unwrap();
    server.read_u8().await.unwrap();
    let running = Running::begin(&activity);

    assert!(timeout(PATIENCE.idle * 5, server.read_u8()).await.is_err());
    server.write_all(b"b").await.unwrap();
    assert!(timeout(PATIENCE.idle * 5, server.read_u8()).await.is_err());
    drop(running);
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_its_time_however_often_a_byte_of_it_comes() {
    let (mut client, mut server, _) = pair();
    let start = Instant::now();

    let slow = async {
        while client.write_all(b"a").await.is_ok() && start.elapsed() < PATIENCE.idle {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let read = async {
        while server.read(&mut [0]).await.unwrap() > 0 {}
        start.elapsed().as_secs()
    };
    let ((), ended) = tokio::join!(slow, read);

    assert_eq!((ended, server.ended()), (PATIENCE.head.as_secs(), Some(Ended::SlowHead)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_let_go() {
    let (_client, mut server, activity) = pair();
    let _running = Running::begin(&activity);
    let start = Instant::now();

    let error = server.write_all(&[0; 1000]).await.unwrap_err();

    assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, PATIENCE.write));
}

#[tokio::test]
async fn the_version_is_found_and_nothing_of_it_is_lost() {
    for (sent, version) in
        [(&b"GET / HTTP/1.1\r\n"[..], Version::Http1), (&PREFACE, Version::Http2), (b"PRI", Version::Http1)]
    {
        let (mut client, mut server, _) = pair();
        client.write_all(sent).await.unwrap();
        client.write_all(if version == Version::Http1 { b"X" } else { b"" }).await.unwrap();

        assert_eq!(server.find_version().await.unwrap(), Some(version));
        let mut read = vec![0; sent.len()];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!(read, sent);
    }
    let (client, mut server, _) = pair();
    drop(client);
    assert_eq!(server.find_version().await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_of_hypers_own_is_kept_back() {
    let (mut client, mut server, activity) = pair();
    let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    client.write_all(b"GET /").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
    server.write_all(bare).await.unwrap();
    assert_eq!(server.ended(), Some(Ended::Refused(StatusCode::URI_TOO_LONG)));
    let running = Running::begin(&activity);
    server.write_all(&bare[..60]).await.unwrap();
    drop(running);

    let mut sent = [0; 60];
    client.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, bare[..60]);
}
