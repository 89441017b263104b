//! What is told of packets, and what of them nobody is told.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use underpass::{Event, PacketBytes, PacketDirection, PacketTrace, TraceSwitch, Tunnel};
use underpass_testkit::target::Target;

use crate::support::{Bastion, Events, PASSWORD, connect, refused, to, within};

const MARKER: &str = "what-the-tunnel-carries";

/// Sends the marker to an echo and back.
async fn carry(tunnel: &Tunnel) {
    let mut stream = connect(tunnel);
    stream.write_all(MARKER.as_bytes()).await.unwrap();
    let mut echoed = vec![0; MARKER.len()];
    within(stream.read_exact(&mut echoed)).await.unwrap();
}

/// Whether it is among what is told of packets, as bytes or otherwise.
fn shows(events: &Events, secret: &str) -> bool {
    let is_shown = |event: &Event| {
        let Event::Packet { bytes, .. } = event else { return false };
        let bytes: Vec<u8> =
            bytes.iter().flat_map(PacketBytes::iter).map(Option::unwrap_or_default).collect();
        let is_in_bytes = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        is_in_bytes || format!("{event} {event:?} {:?}", event.fields()).contains(secret)
    };
    events.all().iter().any(is_shown)
}

#[tokio::test]
async fn packets_are_told_as_far_as_is_asked_for() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    for (trace, has_password, has_data) in [
        (PacketTrace::Off, false, false),
        (PacketTrace::Packets, false, false),
        (PacketTrace::Bytes, false, true),
        (PacketTrace::DangerouslyUnmasked, true, true),
    ] {
        let events = Events::default();
        let builder = bastion.builder().forward(to(target.address())).packet_trace(trace);
        let tunnel = builder.observer(events.observer()).open().await.unwrap();
        carry(&tunnel).await;
        within(tunnel.stop(Duration::from_secs(60))).await;
        assert_eq!(events.count("packet") > 10, trace != PacketTrace::Off, "{trace:?}");
        assert_eq!(shows(&events, PASSWORD), has_password, "{trace:?}");
        assert_eq!(shows(&events, MARKER), has_data, "{trace:?}");
    }
}

#[tokio::test]
async fn packets_are_told_before_what_they_bring_about_and_secrets_have_no_length() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let builder = bastion.builder().packet_trace(PacketTrace::Packets);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    within(tunnel.stop(Duration::from_secs(60))).await;
    let all = events.all();
    let at = |wanted: &dyn Fn(&Event) -> bool| all.iter().position(wanted).expect("it was told");
    let success = |event: &Event| {
        matches!(event, Event::Packet { message: Some("SSH_MSG_USERAUTH_SUCCESS"), length: Some(1), .. })
    };
    assert!(at(&success) < at(&|event| matches!(event, Event::Authenticated { .. })));
    let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
    let host = bastion.gateway.address().ip();
    let is_told =
        |line: &str| assert!(lines.iter().any(|told| told == line), "{line} is not among {lines:#?}");
    is_told(&format!("receive packet: type 52 SSH_MSG_USERAUTH_SUCCESS, 1 bytes, number 4, {host}"));
    // One without a method, and one that is answered with the password.
    is_told(&format!("send packet: type 50 SSH_MSG_USERAUTH_REQUEST, 33 bytes, number 1, {host}"));
    is_told(&format!("send packet: type 50 SSH_MSG_USERAUTH_REQUEST, 57 bytes, number 2, {host}"));
    is_told(&format!("send packet: type 61 SSH_MSG_USERAUTH_INFO_RESPONSE, number 3, {host}"));
    let ours = format!("send line: SSH-2.0-Underpass_{}", env!("CARGO_PKG_VERSION"));
    is_told(&ours);
}

#[tokio::test]
async fn the_trace_is_turned_on_and_off_while_the_tunnel_is_open() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let (switch, events) = (TraceSwitch::default(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).packet_trace(switch.clone());
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    carry(&tunnel).await;
    assert_eq!((events.count("packet"), switch.get()), (0, PacketTrace::Off));
    switch.set(PacketTrace::Bytes);
    carry(&tunnel).await;
    assert!(shows(&events, MARKER) && switch.get() == PacketTrace::Bytes);
    switch.set(PacketTrace::Off);
    // What the engine saw before it was off has been told: it tells at once.
    let told = events.count("packet");
    carry(&tunnel).await;
    assert_eq!(events.count("packet"), told);
}

#[tokio::test]
async fn packets_of_each_hop_are_told_with_its_name() {
    let (outer, inner, events) = (Bastion::start().await, Bastion::start().await, Events::default());
    let destination = format!("localhost:{}", inner.gateway.address().port());
    let builder = inner.builder().destination(destination.parse().unwrap()).jump(outer.builder());
    let builder = builder.packet_trace(PacketTrace::Packets).observer(events.observer());
    within(builder.open().await.unwrap().stop(Duration::from_secs(60))).await;
    for name in [outer.gateway.address().ip().to_string(), "localhost".to_owned()] {
        let logged_on = |event: &Event| {
            let Event::Packet { host, direction, number: 52, .. } = event else { return false };
            *host == name && *direction == PacketDirection::Received
        };
        assert!(events.all().iter().any(logged_on), "{name}");
    }
}

#[tokio::test]
async fn a_trace_without_an_observer_and_a_logon_that_fails_do_no_harm() {
    let bastion = Bastion::start().await;
    within(bastion.builder().packet_trace(PacketTrace::Bytes).open().await.unwrap().stop(Duration::ZERO))
        .await;
    let events = Events::default();
    let builder = bastion.builder().password("wrong-password").packet_trace(PacketTrace::Bytes);
    refused(builder.observer(events.observer())).await;
    assert!(events.count("packet") > 5 && !shows(&events, "wrong-password"));
}
