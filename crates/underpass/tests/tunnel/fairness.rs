//! A connection that is stuck affects only itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, Server};

use crate::support::{Bastion, connect_to, echo, to, within};

const MIB: u64 = 1024 * 1024;

/// What the tunnel may hold for a reader that has stopped: its first window, the buffers of both engines, and the
/// system's buffers of three sockets on the way, which Linux lets grow to 6 MiB and 4 MiB each.
const HELD: u64 = 48 * MIB;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_for_ever_holds_up_nobody_and_takes_little_memory() {
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    let endless = Server::start(move |mut stream: TcpStream| {
        let taken = counter.clone();
        async move {
            loop {
                let count = stream.write(&[7; 64 * 1024]).await?;
                taken.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
    });
    let (endless, echoing) = (endless.unwrap(), Target::Echo.start().unwrap());
    let bastion = Bastion::start().await;
    let builder = bastion.builder().forward(to(endless.address())).forward(to(echoing.address()));
    let tunnel = builder.open().await.unwrap();
    let mut stuck = connect_to(tunnel.listeners()[0].1);
    within(stuck.read_u8()).await.unwrap();
    let mut echoes = JoinSet::new();
    for seed in 0..15 {
        let stream = connect_to(tunnel.listeners()[1].1);
        echoes.spawn(echo(stream, Payload::new(seed), 8 * MIB));
    }
    for result in within(echoes.join_all()).await {
        result.unwrap();
    }
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < HELD, "{taken} bytes were taken for a reader that reads nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_stops_reading_holds_up_nobody() {
    let (stuck, echoing) = (Target::BlackHole.start().unwrap(), Target::Echo.start().unwrap());
    let bastion = Bastion::start().await;
    let builder = bastion.builder().forward(to(stuck.address())).forward(to(echoing.address()));
    let tunnel = builder.open().await.unwrap();
    let mut uploads = JoinSet::new();
    for _ in 0..4 {
        let mut stream = connect_to(tunnel.listeners()[0].1);
        uploads.spawn(async move { while stream.write_all(&[7; 64 * 1024]).await.is_ok() {} });
    }
    let mut echoes = JoinSet::new();
    for seed in 0..12 {
        let stream = connect_to(tunnel.listeners()[1].1);
        echoes.spawn(echo(stream, Payload::new(seed), 8 * MIB));
    }
    for result in within(echoes.join_all()).await {
        result.unwrap();
    }
    assert_eq!(uploads.len(), 4);
    assert!(uploads.try_join_next().is_none(), "an upload ended by itself");
}

#[tokio::test]
async fn a_stopped_reader_that_reads_on_gets_everything() {
    let payload = Payload::new(5);
    let (source, echoing) =
        (Target::Burst(payload, 20 * MIB).start().unwrap(), Target::Echo.start().unwrap());
    let bastion = Bastion::start().await;
    let builder = bastion.builder().forward(to(source.address())).forward(to(echoing.address()));
    let tunnel = builder.open().await.unwrap();
    let mut stopped = connect_to(tunnel.listeners()[0].1);
    within(stopped.read_u8()).await.unwrap();
    let stream = connect_to(tunnel.listeners()[1].1);
    within(echo(stream, Payload::new(1), 8 * MIB)).await.unwrap();
    let mut rest = Vec::new();
    within(stopped.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest.len() as u64, 20 * MIB - 1);
    payload.check(1, &rest).unwrap();
}
