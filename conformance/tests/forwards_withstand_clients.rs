//! `-D`: clients that ask for what there is not, for nonsense, or for nothing, hold up nobody.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use underpass_conformance::{Client, Failure, PeerKind, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn what_is_not_supported_is_refused_at_once() -> Result<()> {
    served_beside(|proxy| async move {
        for (what, request, answer) in UNSUPPORTED {
            let heard = timeout(AT_ONCE, exchange(proxy, request, false)).await;
            let heard = heard.map_err(|_| Failure::new(format!("{what}: no answer, or no end")))??;
            if !heard.starts_with(answer) {
                return Err(Failure::new(format!("{what}: {}", heard.escape_ascii())));
            }
        }
        Ok(())
    })
}

#[test]
fn nonsense_is_ended_at_once() -> Result<()> {
    served_beside(|proxy| async move {
        let long: [(&str, Vec<u8>); 3] = [
            (
                "a user id without end",
                [b"\x04\x01\x00\x50\x7f\x00\x00\x01".as_slice(), &[b'a'; 70_000]].concat(),
            ),
            (
                "a name without end",
                [b"\x04\x01\x00\x50\x00\x00\x00\x01\x00".as_slice(), &[b'a'; 70_000]].concat(),
            ),
            ("a line without end", [b"CONNECT ".as_slice(), &[b'a'; 70_000]].concat()),
        ];
        let short = MALFORMED.iter().map(|&(what, request)| (what, request.to_vec()));
        for (what, request) in short.chain(long) {
            let ended = timeout(AT_ONCE, exchange(proxy, &request, false)).await;
            let heard = ended.map_err(|_| Failure::new(format!("{what}: it is not ended")))?;
            // A reset is as good as an end; but nobody is let through.
            if heard.is_ok_and(|heard| accepted(&heard)) {
                return Err(Failure::new(format!("{what}: it is accepted")));
            }
        }
        Ok(())
    })
}

#[test]
fn half_a_request_ends_with_its_client() -> Result<()> {
    served_beside(|proxy| async move {
        for request in WHOLE {
            for length in 0..request.len() {
                let part = &request[..length];
                // An error is a reset, which is as good as an end.
                if timeout(AT_ONCE, exchange(proxy, part, true)).await.is_err() {
                    return Err(Failure::new(format!("{}: it is not ended", part.escape_ascii())));
                }
            }
        }
        Ok(())
    })
}

#[test]
fn a_thousand_clients_that_dribble_are_dropped_in_time_and_hold_up_nobody() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    served_beside(|proxy| async move {
        let began = Instant::now();
        let dribbling = traffic::in_parallel(1000, |_| async move {
            let mut stream = TcpStream::connect(proxy).await?;
            dribble(&mut stream).await;
            Ok(())
        });
        let served = async {
            let echo = Target::Echo.start()?;
            for seed in 0..8 {
                let stream = traffic::through_socks5(proxy, echo.address()).await?;
                timeout(PROMPT, traffic::echo_on(stream, Payload::new(seed), 100_000)).await??;
                sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        };
        tokio::try_join!(dribbling, served)?;
        let took = began.elapsed();
        if took < HANDSHAKE - SLACK || took > HANDSHAKE + 2 * SLACK {
            return Err(Failure::new(format!("they were dropped after {took:?}")));
        }
        Ok(())
    })
}

/// Runs clients against a proxy, which serves well after that.
fn served_beside<F: Future<Output = Result<()>>>(clients: impl FnOnce(SocketAddr) -> F) -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    let proxy = session.local();
    traffic::run_through(&session, &peer, PATIENCE, async {
        clients(proxy).await?;
        let stream = traffic::through_socks5(proxy, echo.address()).await?;
        traffic::echo_on(stream, Payload::new(45), 100_000).await
    })
}

/// Sends a request, and its end if that is wanted, and reads all that comes.
async fn exchange(proxy: SocketAddr, request: &[u8], end: bool) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(proxy).await?;
    stream.write_all(request).await?;
    if end {
        stream.shutdown().await?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Whether an answer, of any protocol, lets its client through.
fn accepted(answer: &[u8]) -> bool {
    let socks5 = answer.get(2..4) == Some(&[5, 0]);
    let http = answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.0 2");
    socks5 || http || answer.starts_with(&[0, 90])
}

/// Sends a byte a second of a request that is never complete, until it is dropped.
async fn dribble(stream: &mut TcpStream) {
    let (mut read, mut write) = stream.split();
    let sending = async {
        for byte in b"\x04\x01\x00\x50\x7f\x00\x00\x01".iter().copied().chain(std::iter::repeat(b'a')) {
            if write.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    // An end and a reset are both the end of it.
    let ended = async { drop(read.read(&mut [0]).await) };
    tokio::select! {
        () = sending => {}
        () = ended => {}
    }
}

/// What it is, the bytes, and how the answer begins.
const UNSUPPORTED: &[(&str, &[u8], &[u8])] = &[
    ("BIND of SOCKS 5", b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", b"\x05\x00\x05\x07"),
    ("UDP ASSOCIATE", b"\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", b"\x05\x00\x05\x07"),
    ("a command that is none", b"\x05\x01\x00\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50", b"\x05\x00\x05\x07"),
    (
        "an address of no known type",
        b"\x05\x01\x00\x05\x01\x00\x09\x7f\x00\x00\x01\x00\x50",
        b"\x05\x00\x05\x08",
    ),
    ("no method that there is", b"\x05\x02\x01\x80", b"\x05\xff"),
    ("no method at all", b"\x05\x00", b"\x05\xff"),
    ("BIND of SOCKS 4", b"\x04\x02\x00\x50\x7f\x00\x00\x01\x00", b"\x00\x5b"),
    ("a command of SOCKS 4 that is none", b"\x04\x09\x00\x50\x7f\x00\x00\x01\x00", b"\x00\x5b"),
    ("HTTP GET", b"GET http://example.invalid/ HTTP/1.1\r\nHost: example.invalid\r\n\r\n", b"HTTP/1.1 4"),
    ("HTTP POST", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 4"),
];

const MALFORMED: &[(&str, &[u8])] = &[
    ("NUL", b"\0\0\0\0\0\0\0\0"),
    ("SOCKS 6", b"\x06\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on, and so on, and so on"),
    ("an SSH client", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("high bytes", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\r\n\r\n"),
    ("a request of another version of SOCKS", b"\x05\x01\x00\x04\x01\x00\x01\x7f\x00\x00\x01\x00\x50"),
    ("an empty name", b"\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50"),
    ("a name with a NUL", b"\x05\x01\x00\x05\x01\x00\x03\x03a\0b\x00\x50"),
    ("a name with an escape", b"\x05\x01\x00\x05\x01\x00\x03\x03a\x1bb\x00\x50"),
    ("a name of no encoding", b"\x05\x01\x00\x05\x01\x00\x03\x03a\xffb\x00\x50"),
    ("port 0", b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x00"),
    ("port 0 of SOCKS 4", b"\x04\x01\x00\x00\x7f\x00\x00\x01\x00"),
    ("an empty name of SOCKS 4a", b"\x04\x01\x00\x50\x00\x00\x00\x01\x00\x00"),
    ("an escape of SOCKS 4a", b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a\x1bb\x00"),
    ("CONNECT of nothing", b"CONNECT  HTTP/1.1\r\n\r\n"),
    ("CONNECT without a port", b"CONNECT example.invalid HTTP/1.1\r\n\r\n"),
    ("CONNECT without a host", b"CONNECT :80 HTTP/1.1\r\n\r\n"),
    ("CONNECT of port 0", b"CONNECT example.invalid:0 HTTP/1.1\r\n\r\n"),
    ("CONNECT of a large port", b"CONNECT example.invalid:65536 HTTP/1.1\r\n\r\n"),
    ("CONNECT of a signed port", b"CONNECT example.invalid:+80 HTTP/1.1\r\n\r\n"),
    ("CONNECT of a URL", b"CONNECT http://example.invalid:80/ HTTP/1.1\r\n\r\n"),
    ("CONNECT of an open bracket", b"CONNECT [::1:80 HTTP/1.1\r\n\r\n"),
    ("CONNECT of a user", b"CONNECT user@example.invalid:80 HTTP/1.1\r\n\r\n"),
    ("CONNECT without a version", b"CONNECT example.invalid:80\r\n\r\n"),
    ("CONNECT of HTTP 2", b"CONNECT example.invalid:80 HTTP/2\r\n\r\n"),
    ("a header without a colon", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nnothing\r\n\r\n"),
    ("a header without a name", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\n: x\r\n\r\n"),
    ("a header that is folded", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\na: b\r\n c\r\n\r\n"),
    ("a NUL in a header", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\na: b\0c\r\n\r\n"),
    ("a lone CR", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\na: b\rc: d\r\n\r\n"),
];

/// Requests of which every part is half a request.
const WHOLE: &[&[u8]] = &[
    b"\x05\x01\x00\x05\x01\x00\x03\x09localhost\x00\x50",
    b"\x04\x01\x00\x50\x00\x00\x00\x01me\x00localhost\x00",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
];

/// The deadline of the command for saying where to go.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Well below that deadline.
const AT_ONCE: Duration = Duration::from_secs(5);

/// How soon somebody who is served beside a crowd has to be done.
const PROMPT: Duration = Duration::from_secs(5);

/// What a busy machine may add or take.
const SLACK: Duration = Duration::from_secs(2);

const PATIENCE: Duration = Duration::from_secs(40);
