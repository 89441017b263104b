//! Through one gateway to the next.

use std::fs;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use underpass::{Builder, Destination, ErrorKind, Step};
use underpass_testkit::Payload;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::target::{Refusing, Target};

use crate::support::{
    Bastion, Events, NAME, PASSWORD, connect, echo, eventually, is_reset, refused, to, within,
};

/// The inner gateway's name, which only the outer one looks up.
const INNER: &str = "localhost";

/// The inner gateway under its name: errors tell the two apart by it.
fn named(inner: &Bastion) -> Builder {
    let port = inner.gateway.address().port();
    let destination: Destination = format!("{INNER}:{port}").parse().unwrap();
    inner.builder().destination(destination)
}

async fn two() -> (Bastion, Bastion) {
    (Bastion::start().await, Bastion::start().await)
}

#[tokio::test]
async fn data_goes_through_both_and_each_logs_in() {
    let (outer, inner) = two().await;
    let (target, events) = (Target::Echo.start().unwrap(), Events::default());
    let builder = named(&inner).jump(outer.builder()).forward(to(target.address()));
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    assert_eq!((events.count("authenticated"), events.count("connecting")), (2, 1));
    let (first, second) = (connect(&tunnel), connect(&tunnel));
    let both = async {
        tokio::join!(echo(first, Payload::new(1), 3_000_000), echo(second, Payload::new(2), 3_000_000))
    };
    let (first, second) = within(both).await;
    first.unwrap();
    second.unwrap();
    assert_eq!((outer.gateway.stats().total, inner.gateway.stats().total), (1, 2));
    assert_eq!(tunnel.stats().total, 2, "what goes to the next hop does not count");
    within(tunnel.stop(Duration::ZERO)).await;
    eventually("the outer one is left, too", || outer.gateway.stats().open == 0).await;
}

#[tokio::test]
async fn three_in_a_row_work_as_well() {
    let ((first, second), third) = (two().await, Bastion::start().await);
    let target = Target::Echo.start().unwrap();
    let builder = named(&third).jump(first.builder()).jump(named(&second)).forward(to(target.address()));
    let tunnel = builder.open().await.unwrap();
    within(echo(connect(&tunnel), Payload::new(3), 1_000_000)).await.unwrap();
    assert_eq!([&first, &second, &third].map(|bastion| bastion.gateway.stats().total), [1, 1, 1]);
}

#[tokio::test]
async fn a_changed_key_of_either_is_refused_with_its_name() {
    let (outer, inner) = two().await;
    // Keys are told under the names under which they are on record.
    const ALIAS: &str = "vault";
    let builder = || named(&inner).host_key_alias(ALIAS).jump(outer.builder());
    let other_key = fs::read_to_string(outer.known_hosts()).unwrap().replace(NAME, ALIAS);
    fs::write(inner.known_hosts(), other_key).unwrap();
    let error = refused(builder()).await;
    assert!(matches!(error.kind(), ErrorKind::HostKeyChanged { .. }), "{error}");
    assert_eq!(error.host(), Some(ALIAS));
    eventually("nothing is left of the way there", || outer.gateway.stats().open == 0).await;

    fs::write(outer.known_hosts(), "").unwrap();
    let error = refused(builder()).await;
    assert!(matches!(error.kind(), ErrorKind::HostKeyUnknown { .. }), "{error}");
    assert_eq!(error.host(), Some(NAME));
}

#[tokio::test]
async fn a_wrong_password_for_either_is_refused_with_its_name() {
    let (outer, inner) = two().await;
    for (outer_password, inner_password, at) in [(PASSWORD, "wrong", INNER), ("wrong", PASSWORD, "127.0.0.1")]
    {
        let outer = outer.builder().password(outer_password);
        let error = refused(named(&inner).password(inner_password).jump(outer)).await;
        assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error}");
        assert_eq!(error.host(), Some(at));
    }
}

#[tokio::test]
async fn a_next_server_that_is_out_of_reach_is_told_with_both_names() {
    let (outer, inner) = two().await;
    let refusing = Refusing::start().unwrap();
    let error = refused(inner.builder_at(refusing.address()).jump(outer.builder())).await;
    assert!(matches!(error.kind(), ErrorKind::Hop { hop, .. } if hop == "127.0.0.1"), "{error}");
    assert_eq!((error.step(), error.host()), (Step::Dial, Some("127.0.0.1")));
    assert!(error.to_string().contains(&refusing.address().to_string()), "{error}");
}

#[tokio::test]
async fn a_first_hop_that_is_lost_is_to_blame() {
    let (outer, inner) = two().await;
    let endless = Target::Source(Payload::new(4), u64::MAX).start().unwrap();
    let relay = CuttingRelay::start(outer.gateway.address()).unwrap();
    let builder = named(&inner).jump(outer.builder_at(relay.address())).forward(to(endless.address()));
    let tunnel = builder.open().await.unwrap();
    let mut stream = connect(&tunnel);
    within(stream.read_u8()).await.unwrap();
    relay.cut();
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Lost { .. }), "{error}");
    assert_eq!((error.step(), error.host()), (Step::Carry, Some("127.0.0.1")));
    assert!(is_reset(&mut stream).await);
}
