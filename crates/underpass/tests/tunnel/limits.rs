//! How much a tunnel carries: how many connections, for how long, and how fast.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use underpass::{ErrorKind, Event, Tunnel};
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, Server};

use crate::support::{Bastion, Events, connect, echo, eventually, is_reset, to, within};

#[tokio::test]
async fn a_connection_too_many_is_reset_until_there_is_room() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let builder = bastion.builder().forward(to(target.address())).max_connections(2);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    let (first, second) = (connect(&tunnel), connect(&tunnel));
    eventually("both are open", || tunnel.stats().open == 2).await;
    assert!(is_reset(&mut connect(&tunnel)).await);
    let [error] = events.failures().try_into().unwrap();
    assert_eq!(*error.kind(), ErrorKind::TooMany { most: 2 });
    within(echo(first, Payload::new(1), 100_000)).await.unwrap();
    eventually("one is over", || tunnel.stats().open == 1).await;
    within(echo(connect(&tunnel), Payload::new(2), 100_000)).await.unwrap();
    within(echo(second, Payload::new(3), 100_000)).await.unwrap();
    assert_eq!(target.accepted(), 3);
}

#[tokio::test]
async fn a_connection_that_carries_nothing_is_cut_and_others_go_on() {
    /// A machine that is too busy for a beat in this time fails more than this.
    const IDLE: Duration = Duration::from_secs(2);
    const BEAT: Duration = Duration::from_millis(100);
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let builder = bastion.builder().forward(to(target.address())).idle_timeout(IDLE);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    let (mut quiet, mut busy) = (connect(&tunnel), connect(&tunnel));
    let began = Instant::now();
    let cut = tokio::spawn(async move { is_reset(&mut quiet).await });
    // Well beyond the time at which a connection would be cut that did not beat.
    while !cut.is_finished() || began.elapsed() < IDLE * 2 {
        within(busy.write_all(b"x")).await.unwrap();
        assert_eq!(within(busy.read_u8()).await.unwrap(), b'x');
        tokio::time::sleep(BEAT).await;
    }
    assert!(cut.await.unwrap(), "it looked like an end");
    assert!(began.elapsed() >= IDLE);
    within(echo(busy, Payload::new(4), 100_000)).await.unwrap();
    let errors = events.all().into_iter().filter_map(|event| match event {
        Event::ConnectionClosed { error, .. } => Some(error),
        _ => None,
    });
    eventually("both are over", || tunnel.stats().open == 0).await;
    assert_eq!(errors.flatten().count(), 1);
}

/// What the limits of these tests let pass a second.
const RATE: u64 = 200_000;

/// How long is measured: several times what the limit lets pass at once.
const WHILE: Duration = Duration::from_millis(1500);

fn rate() -> NonZeroU64 {
    NonZeroU64::new(RATE).unwrap()
}

/// The most that may have passed by now: a tenth of a second's bytes may go at once.
fn most_since(began: Instant) -> u64 {
    (RATE as f64 * (began.elapsed().as_secs_f64() + 0.1)).ceil() as u64
}

/// A target that counts what it gets.
fn counting() -> (Server, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let server = Server::start(move |mut stream: TcpStream| {
        let counter = counter.clone();
        async move {
            let mut buffer = vec![0; 65536];
            loop {
                match stream.read(&mut buffer).await? {
                    0 => return Ok(()),
                    read => counter.fetch_add(read as u64, Ordering::SeqCst),
                };
            }
        }
    });
    (server.unwrap(), count)
}

/// Reads as much as comes in a while, on each of so many connections, and gives the sum.
async fn download(tunnel: &Tunnel, connections: usize) -> u64 {
    let end = tokio::time::Instant::now() + WHILE;
    let mut reading = JoinSet::new();
    for _ in 0..connections {
        let mut stream = connect(tunnel);
        reading.spawn(async move {
            let (mut buffer, mut sum) = (vec![0; 65536], 0);
            while let Ok(read) = tokio::time::timeout_at(end, stream.read(&mut buffer)).await {
                sum += read.unwrap() as u64;
            }
            sum
        });
    }
    reading.join_all().await.into_iter().sum()
}

/// Writes as much as can be written in a while, on each of so many connections.
async fn upload(tunnel: &Tunnel, connections: usize) {
    let end = tokio::time::Instant::now() + WHILE;
    let mut writing = JoinSet::new();
    for _ in 0..connections {
        let mut stream = connect(tunnel);
        writing.spawn(async move {
            let buffer = vec![0; 65536];
            while let Ok(written) = tokio::time::timeout_at(end, stream.write(&buffer)).await {
                written.unwrap();
            }
            // Open for as long as the others.
            stream
        });
    }
    writing.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_is_no_faster_than_its_limit_in_either_direction() {
    let (bastion, source) =
        (Bastion::start().await, Target::Source(Payload::new(5), u64::MAX).start().unwrap());
    let (sink, count) = counting();
    let limited = bastion.builder().rate_limit(rate());
    let tunnel = limited.clone().forward(to(source.address())).open().await.unwrap();
    let began = Instant::now();
    let received = within(download(&tunnel, 1)).await;
    assert!((1..=most_since(began)).contains(&received), "{received}");
    let tunnel = limited.forward(to(sink.address())).open().await.unwrap();
    let began = Instant::now();
    within(upload(&tunnel, 1)).await;
    let sent = count.load(Ordering::SeqCst);
    assert!((1..=most_since(began)).contains(&sent), "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_together_are_no_faster_than_the_tunnels_limit() {
    let (bastion, source) =
        (Bastion::start().await, Target::Source(Payload::new(6), u64::MAX).start().unwrap());
    let (sink, count) = counting();
    let limited = bastion.builder().tunnel_rate_limit(rate());
    let tunnel = limited.clone().forward(to(source.address())).open().await.unwrap();
    let began = Instant::now();
    let received = within(download(&tunnel, 5)).await;
    assert!((1..=most_since(began)).contains(&received), "{received}");
    let tunnel = limited.forward(to(sink.address())).open().await.unwrap();
    let began = Instant::now();
    within(upload(&tunnel, 5)).await;
    let sent = count.load(Ordering::SeqCst);
    assert!((1..=most_since(began)).contains(&sent), "{sent}");
}

#[tokio::test]
async fn what_is_limited_arrives_whole_and_every_connection_gets_a_share() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let builder = bastion.builder().forward(to(target.address()));
    let tunnel = builder.rate_limit(rate()).tunnel_rate_limit(rate()).open().await.unwrap();
    let mut echoes = JoinSet::new();
    for number in 0..5 {
        echoes.spawn(echo(connect(&tunnel), Payload::new(number), 40_000));
    }
    for ended in within(echoes.join_all()).await {
        ended.unwrap();
    }
}
