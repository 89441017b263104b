//! What happens when the SSH connection itself is lost.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use underpass::{ErrorKind, Step};
use underpass_testkit::Payload;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, connect, entrance, is_reset, to, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_is_lost_and_every_local_connection_is_reset() {
    const STREAMS: usize = 8;
    let endless = Target::Source(Payload::new(1), u64::MAX).start().unwrap();
    let bastion = Bastion::start().await;
    for _ in 0..5 {
        let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
        let events = Events::default();
        let builder = bastion.builder_at(relay.address()).forward(to(endless.address()));
        let tunnel = builder.observer(events.observer()).open().await.unwrap();
        let mut streams = JoinSet::new();
        for _ in 0..STREAMS {
            let mut stream = connect(&tunnel);
            within(stream.read_u8()).await.unwrap();
            streams.spawn(async move { is_reset(&mut stream).await });
        }
        relay.cut();
        let error = within(tunnel.closed()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Lost { .. }), "{error}");
        assert_eq!(error.step(), Step::Carry);
        let resets = within(streams.join_all()).await;
        assert_eq!(resets, [true; STREAMS], "a loss looked like an end");
        assert_eq!(tunnel.stats().open, 0);
        assert_eq!(events.count("connection-closed"), STREAMS);
        assert_eq!(events.names().last(), Some(&"closed"));
    }
}

#[tokio::test]
async fn a_lost_tunnel_listens_no_longer() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let tunnel = bastion.builder_at(relay.address()).forward(to(target.address())).open().await.unwrap();
    relay.cut();
    within(tunnel.closed()).await.unwrap_err();
    // Whoever came before the listener knew is reset, whoever comes later is refused.
    let late = async {
        while let Ok(mut stream) = TcpStream::connect(entrance(&tunnel)).await {
            assert!(is_reset(&mut stream).await, "a connection that went nowhere ended cleanly");
        }
    };
    within(late).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
    let builder = bastion.builder_at(relay.address()).forward(to(target.address()));
    let interval = Duration::from_millis(200);
    let tunnel = builder.keepalive_interval(interval).keepalive_count(2).open().await.unwrap();
    let mut stream = connect(&tunnel);
    stream.write_all(b"x").await.unwrap();
    within(stream.read_u8()).await.unwrap();
    relay.black_hole();
    let error = within(tunnel.closed()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PeerDead { silence: 2 * interval });
    assert!(is_reset(&mut stream).await);
}

#[tokio::test]
async fn a_silent_but_living_server_is_kept() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let builder = bastion.builder().forward(to(target.address()));
    let tunnel = builder.keepalive_interval(Duration::from_millis(50)).open().await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(600), tunnel.closed()).await;
    assert!(given_up.is_err(), "{given_up:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stops_ends_its_tunnels() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    stream.write_all(b"x").await.unwrap();
    within(stream.read_u8()).await.unwrap();
    bastion.gateway.stop();
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Disconnected { .. } | ErrorKind::Lost { .. }), "{error}");
    assert!(is_reset(&mut stream).await);
}
