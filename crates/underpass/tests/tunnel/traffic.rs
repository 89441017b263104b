//! Bytes arrive, all of them and in order.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use underpass::Event;
use underpass_testkit::Payload;
use underpass_testkit::target::{Receipt, Target};

use crate::support::{
    Bastion, Events, connect, connect_to, echo, entrance, eventually, receive, send, to, within,
};

const MIB: u64 = 1024 * 1024;

async fn echo_at_once(connections: u64, length: u64) {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut echoes = JoinSet::new();
    for seed in 0..connections {
        let stream = connect(&tunnel);
        echoes.spawn(echo(stream, Payload::new(seed), length));
    }
    for result in within(echoes.join_all()).await {
        result.unwrap();
    }
    let stats = tunnel.stats();
    assert_eq!((stats.total, stats.failed), (connections, 0));
    assert_eq!((stats.sent, stats.received), (connections * length, connections * length));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_at_once_carry_every_byte_both_ways() {
    echo_at_once(100, MIB / 2).await;
}

#[tokio::test]
async fn one_thread_is_enough_for_tunnel_gateway_and_clients() {
    echo_at_once(20, MIB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_shut_down_gets_its_answer() {
    let (bastion, target) = (Bastion::start().await, Target::Sink.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    for (seed, length) in [(1, 0), (2, 1), (3, 5 * MIB + 7)] {
        let payload = Payload::new(seed);
        let mut stream = connect(&tunnel);
        let mut answer = Vec::new();
        within(send(&mut stream, payload, length)).await.unwrap();
        within(stream.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, Receipt::of(payload, length).encode(), "{length} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_sends_and_closes_at_once_is_never_cut_short() {
    let payload = Payload::new(9);
    let (bastion, target) = (Bastion::start().await, Target::Burst(payload, MIB).start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    for round in 0..300 {
        let mut stream = connect(&tunnel);
        assert_eq!(within(receive(&mut stream, payload)).await.unwrap(), MIB, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_renewed_under_load_and_every_byte_arrives() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).rekey_bytes(256 * 1024);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    let mut echoes = JoinSet::new();
    for seed in 0..8 {
        echoes.spawn(echo(connect(&tunnel), Payload::new(seed), 2 * MIB));
    }
    for result in within(echoes.join_all()).await {
        result.unwrap();
    }
    let renewed = |event: &Event| matches!(event, Event::KeyExchange { rekey: true, .. });
    let renewals = events.all().iter().filter(|event| renewed(event)).count();
    assert!(renewals >= 8, "{renewals} renewals for 32 MiB");
}

/// A byte's way leads past what is in the buffers, not past the whole transfer.
#[tokio::test]
async fn single_bytes_come_back_while_others_transfer_in_bulk() {
    let (echoing, endless) =
        (Target::Echo.start().unwrap(), Target::Source(Payload::new(1), u64::MAX).start().unwrap());
    let bastion = Bastion::start().await;
    let builder = bastion.builder().forward(to(echoing.address())).forward(to(endless.address()));
    let tunnel = builder.open().await.unwrap();
    for _ in 0..4 {
        let mut bulk = connect_to(tunnel.listeners()[1].1);
        tokio::spawn(async move { receive(&mut bulk, Payload::new(1)).await });
    }
    let mut stream = connect(&tunnel);
    eventually("the transfers have begun", || tunnel.stats().received > 16 * MIB).await;
    let before = tunnel.stats().received;
    for turn in 0..50 {
        within(stream.write_all(&[turn])).await.unwrap();
        assert_eq!(within(stream.read_u8()).await.unwrap(), turn);
    }
    let passed = (tunnel.stats().received - before) / 50;
    assert!(passed < 32 * MIB, "a byte and its echo let {passed} bytes pass");
}

#[tokio::test]
async fn a_forward_to_a_name_is_looked_up_by_the_server() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let forward = format!("127.0.0.1:0:localhost:{}", target.address().port());
    let tunnel = bastion.builder().local_forward(forward).open().await.unwrap();
    assert!(entrance(&tunnel).ip().is_loopback());
    within(echo(connect(&tunnel), Payload::new(1), 10)).await.unwrap();
}
