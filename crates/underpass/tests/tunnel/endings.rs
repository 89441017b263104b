//! How connections end: a clean end is passed on as one, and nothing else is.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use underpass::Event;
use underpass_testkit::{Payload, Server, target::Target};

use crate::support::{Bastion, Events, connect, eventually, is_reset, receive, send, to, within};

const LENGTH: u64 = 300_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_half_ends_by_itself() {
    let (up, down) = (Payload::new(1), Payload::new(2));
    let (report, mut reports) = mpsc::unbounded_channel();
    // Ends its own half first, and reads on.
    let target = Server::start(move |mut stream: TcpStream| {
        let report = report.clone();
        async move {
            send(&mut stream, down, LENGTH).await?;
            report.send(receive(&mut stream, up).await?).map_err(io::Error::other)
        }
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    assert_eq!(within(receive(&mut stream, down)).await.unwrap(), LENGTH);
    within(send(&mut stream, up, LENGTH)).await.unwrap();
    assert_eq!(within(reports.recv()).await, Some(LENGTH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_by_the_target_is_a_reset_here() {
    let payload = Payload::new(3);
    let target = Server::start(move |mut stream: TcpStream| async move {
        let mut piece = vec![0; LENGTH as usize];
        payload.fill(0, &mut piece);
        stream.write_all(&piece).await?;
        stream.read_u8().await?;
        stream.set_zero_linger()
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let events = Events::default();
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    let mut stream = connect(&tunnel);
    let mut first = vec![0; LENGTH as usize];
    within(stream.read_exact(&mut first)).await.unwrap();
    payload.check(0, &first).unwrap();
    stream.write_all(b"x").await.unwrap();
    assert!(is_reset(&mut stream).await);
    eventually("the connection is reported as closed", || events.count("connection-closed") == 1).await;
    let closed =
        |event: &Event| matches!(event, Event::ConnectionClosed { error: Some(_), received: LENGTH, .. });
    assert!(events.all().iter().any(closed), "{:?}", events.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_here_is_a_reset_at_the_target() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let target = Server::start(move |mut stream: TcpStream| {
        let report = report.clone();
        async move {
            stream.write_all(b"x").await?;
            let _ = report.send(is_reset(&mut stream).await);
            Ok(())
        }
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    within(stream.read_u8()).await.unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(within(reports.recv()).await, Some(true));
}

#[tokio::test]
async fn a_client_that_leaves_without_a_word_ends_cleanly_everywhere() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    for _ in 0..20 {
        drop(connect(&tunnel));
    }
    eventually("all are closed", || events.count("connection-closed") == 20).await;
    let clean =
        |event: &Event| matches!(event, Event::ConnectionClosed { error: None, sent: 0, received: 0, .. });
    assert_eq!(events.all().iter().filter(|event| clean(event)).count(), 20);
    assert_eq!(tunnel.stats().open, 0);
}
