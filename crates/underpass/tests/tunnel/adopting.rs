//! `Tunnel::adopt`: a connection that the program has accepted, and steers while it is carried.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use underpass::{Adopt, Adopted, Close, End, Ended, ErrorKind, Event, Peer, Tunnel};
use underpass_testkit::target::{Refusing, Target};
use underpass_testkit::{Payload, Server};

use crate::dynamic_forward::ask;
use crate::support::{Bastion, Events, accepted, echo, is_reset, receive, within};

async fn open(bastion: &Bastion) -> Tunnel {
    bastion.builder().open().await.unwrap()
}

/// A client, and the handle to its connection to `target`.
async fn adopt(tunnel: &Tunnel, target: SocketAddr) -> (TcpStream, Adopted) {
    let (client, socket) = accepted().await;
    (client, tunnel.adopt(socket, Adopt::to(target)))
}

/// The kind of the cut that was the end.
fn cut(ended: &Ended) -> io::ErrorKind {
    let End::Cut { kind, .. } = &ended.end else { panic!("{ended:?}") };
    *kind
}

/// Two round trips to the client: each is a turn of the connection, and the second begins when the first is over.
pub(crate) async fn turns(adopted: &Adopted, client: &mut TcpStream) {
    for _ in 0..2 {
        assert_eq!(adopted.send(b"?").unwrap(), 1);
        assert_eq!(within(client.read_u8()).await.unwrap(), b'?');
    }
}

#[tokio::test]
async fn it_is_carried_as_those_of_a_listener_are() {
    const LENGTH: u64 = 10_000_000;
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let events = Events::default();
    let tunnel = bastion.builder().observer(events.observer()).open().await.unwrap();
    let (client, adopted) = adopt(&tunnel, target.address()).await;
    let from = client.local_addr().unwrap();
    within(adopted.reached()).await.unwrap();
    within(echo(client, Payload::new(1), LENGTH)).await.unwrap();
    let ended = within(adopted.ended()).await;
    assert!(matches!(ended, Ended { sent: LENGTH, received: LENGTH, end: End::Proper, .. }), "{ended:?}");
    assert_eq!((adopted.sent(), adopted.received()), (LENGTH, LENGTH));
    let stats = tunnel.stats();
    assert_eq!((stats.open, stats.total, stats.sent, stats.received), (0, 1, LENGTH, LENGTH));
    let opened = |event: &Event| matches!(event, Event::ConnectionOpened { id, peer, .. } if *id == adopted.id() && *peer == Peer::Tcp(from));
    let closed = |event: &Event| matches!(event, Event::ConnectionClosed { id, error: None, .. } if *id == adopted.id());
    let all = events.all();
    assert_eq!((all.iter().filter(|e| opened(e)).count(), all.iter().filter(|e| closed(e)).count()), (1, 1));
}

#[tokio::test]
async fn its_client_may_say_where_it_goes() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::dynamic());
    assert_eq!(ask(&mut client, 1, target.address()).await, 0);
    within(adopted.reached()).await.unwrap();
    within(echo(client, Payload::new(2), 10_000_000)).await.unwrap();
    assert!(matches!(within(adopted.ended()).await.end, End::Proper));
    assert_eq!((adopted.sent(), adopted.received()), (10_000_000, 10_000_000));
}

#[tokio::test]
async fn a_target_that_is_not_reached_is_told_to_program_and_client() {
    let (bastion, refusing) = (Bastion::start().await, Refusing::start().unwrap());
    let events = Events::default();
    let tunnel = bastion.builder().observer(events.observer()).open().await.unwrap();
    let (mut client, adopted) = adopt(&tunnel, refusing.address()).await;
    let error = within(adopted.reached()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetRefused { .. }), "{error}");
    assert!(is_reset(&mut client).await);
    assert!(matches!(within(adopted.ended()).await.end, End::Unreached(_)));
    assert_eq!((tunnel.stats().failed, events.count("connection-failed")), (1, 1));
    assert_eq!(adopted.send(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);

    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::dynamic());
    assert_ne!(ask(&mut client, 1, refusing.address()).await, 0);
    within(adopted.reached()).await.unwrap_err();

    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::dynamic());
    client.write_all(b"\0\0\0").await.unwrap();
    client.shutdown().await.unwrap();
    let error = within(adopted.reached()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ClientMisbehaved { .. }), "{error}");
}

#[tokio::test]
async fn it_takes_one_of_the_places_for_connections() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().max_connections(1).open().await.unwrap();
    let (client, first) = adopt(&tunnel, target.address()).await;
    let (_client, second) = adopt(&tunnel, target.address()).await;
    let error = within(second.reached()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::TooMany { most: 1 });
    drop(client);
    within(first.ended()).await;
    let (_client, third) = adopt(&tunnel, target.address()).await;
    within(third.reached()).await.unwrap();
}

#[tokio::test]
async fn a_handle_that_is_dropped_changes_nothing() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let (client, adopted) = adopt(&tunnel, target.address()).await;
    drop(adopted);
    within(echo(client, Payload::new(3), 100_000)).await.unwrap();
}

#[tokio::test]
async fn while_it_is_paused_nothing_is_read_and_nothing_is_lost() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).paused(true));
    let payload = Payload::new(4);
    let mut first = vec![0; 10_000];
    payload.fill(0, &mut first);
    client.write_all(&first).await.unwrap();
    turns(&adopted, &mut client).await;
    assert_eq!(adopted.sent(), 0);
    adopted.pause_reading(false);
    let mut back = vec![0; 10_000];
    within(client.read_exact(&mut back)).await.unwrap();
    payload.check(0, &back).unwrap();

    // Again and again while it is busy.
    let toggling = tokio::spawn({
        let adopted = adopted.clone();
        async move {
            for _ in 0..200 {
                adopted.pause_reading(true);
                tokio::task::yield_now().await;
                adopted.pause_reading(false);
                tokio::task::yield_now().await;
            }
        }
    });
    within(echo(client, payload, 10_000_000)).await.unwrap();
    toggling.await.unwrap();
    assert_eq!(within(adopted.ended()).await.sent, 10_010_000);
}

#[tokio::test]
async fn words_of_the_program_are_whole_and_in_order_between_those_of_the_target() {
    const ZEROS: usize = 3_000_000;
    const WORDS: u8 = 200;
    const LENGTH: usize = 100;
    let target = Server::start(|mut stream: TcpStream| async move {
        stream.write_all(&vec![0; ZEROS]).await?;
        stream.read_u8().await.map(drop)
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).send_buffer(1000));
    let speaking = tokio::spawn(async move {
        for word in 1..=WORDS {
            adopted.writable(LENGTH).await;
            assert_eq!(adopted.send(&[word; LENGTH]).unwrap(), LENGTH);
            assert!(adopted.queued() <= 1000);
            tokio::task::yield_now().await;
        }
    });
    let mut all = vec![0; ZEROS + WORDS as usize * LENGTH];
    within(client.read_exact(&mut all)).await.unwrap();
    speaking.await.unwrap();
    assert_eq!(all.iter().filter(|byte| **byte == 0).count(), ZEROS);
    let runs: Vec<&[u8]> = all.chunk_by(|a, b| a == b).filter(|run| run[0] != 0).collect();
    assert!(runs.iter().all(|run| run.len() == LENGTH), "a word was divided");
    assert!(runs.iter().map(|run| run[0]).eq(1..=WORDS));
    client.write_all(b"x").await.unwrap();
}

#[tokio::test]
async fn words_wait_for_the_target_and_are_bounded() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::dynamic().send_buffer(1000));
    assert_eq!(adopted.send(&[1; 700]).unwrap(), 700);
    assert_eq!(adopted.send(&[2; 700]).unwrap(), 300);
    assert_eq!(adopted.send(b"x").unwrap(), 0);
    assert_eq!(adopted.queued(), 1000);
    assert_eq!(ask(&mut client, 1, target.address()).await, 0);
    let mut words = vec![0; 1000];
    within(client.read_exact(&mut words)).await.unwrap();
    assert_eq!(words, [vec![1; 700], vec![2; 300]].concat());
    // More than the buffer holds is as much as it holds.
    within(adopted.writable(5000)).await;
    assert_eq!(adopted.queued(), 0);
    // They are not the target's.
    assert_eq!(adopted.received(), 0);
}

#[tokio::test]
async fn words_that_are_sent_before_the_targets_end_is_passed_on_come_before_it() {
    let target = Server::start(|mut stream: TcpStream| async move {
        stream.write_all(b"target").await?;
        stream.read_u8().await.map(drop)
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, adopted) = adopt(&tunnel, target.address()).await;
    assert_eq!(adopted.send(b"program").unwrap(), 7);
    client.write_all(b"x").await.unwrap();
    let mut all = String::new();
    within(client.read_to_string(&mut all)).await.unwrap();
    assert!(all == "targetprogram" || all == "programtarget", "{all}");
    assert_eq!(adopted.send(b"late").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    within(adopted.writable(1)).await;
}

/// A target that waits for an end or a reset, and tells which it was.
fn waiting() -> (Server, mpsc::UnboundedReceiver<bool>) {
    let (report, reports) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream: TcpStream| {
        let report = report.clone();
        async move {
            let _ = report.send(is_reset(&mut stream).await);
            Ok(())
        }
    });
    (server.unwrap(), reports)
}

#[tokio::test]
async fn a_graceful_close_delivers_what_is_queued_and_ends_properly() {
    let ((target, mut resets), bastion) = (waiting(), Bastion::start().await);
    let events = Events::default();
    let tunnel = bastion.builder().observer(events.observer()).open().await.unwrap();
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).paused(true).send_buffer(8_000_000));
    within(adopted.reached()).await.unwrap();
    // What is never read must not turn the end into a reset.
    client.write_all(&[7; 10_000]).await.unwrap();
    assert_eq!(adopted.send(&[8; 8_000_000]).unwrap(), 8_000_000);
    adopted.close(Close::Graceful);
    assert_eq!(adopted.send(b"late").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let mut all = Vec::new();
    within(client.read_to_end(&mut all)).await.unwrap();
    assert_eq!(all, [8; 8_000_000]);
    let ended = within(adopted.ended()).await;
    assert!(matches!(ended, Ended { sent: 0, received: 0, end: End::Proper, .. }), "{ended:?}");
    assert_eq!(within(resets.recv()).await, Some(false));
    assert_eq!((events.count("connection-closed"), tunnel.stats().open), (1, 0));
}

#[tokio::test]
async fn a_graceful_close_delivers_what_has_come_from_an_endless_target() {
    let (bastion, target) =
        (Bastion::start().await, Target::Source(Payload::new(5), u64::MAX).start().unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, adopted) = adopt(&tunnel, target.address()).await;
    within(client.readable()).await.unwrap();
    adopted.close(Close::Graceful);
    let read = within(receive(&mut client, Payload::new(5))).await.unwrap();
    assert_eq!(read, within(adopted.ended()).await.received);
    assert!(read > 0);
}

#[tokio::test]
async fn a_reset_drops_what_is_queued_on_both_sides() {
    let ((target, mut resets), bastion) = (waiting(), Bastion::start().await);
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).send_buffer(50_000_000));
    within(adopted.reached()).await.unwrap();
    // More than the system takes of somebody who does not read.
    assert_eq!(adopted.send(&vec![8; 50_000_000]).unwrap(), 50_000_000);
    adopted.close(Close::Graceful);
    adopted.close(Close::Reset);
    assert_eq!(cut(&within(adopted.ended()).await), io::ErrorKind::ConnectionAborted);
    assert!(is_reset(&mut client).await);
    assert_eq!(within(resets.recv()).await, Some(true));
    assert_eq!(adopted.queued(), 0);
}

#[tokio::test]
async fn one_that_is_closed_before_it_says_where_to_is_over() {
    let bastion = Bastion::start().await;
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::dynamic());
    adopted.close(Close::Reset);
    assert_eq!(*within(adopted.reached()).await.unwrap_err().kind(), ErrorKind::Stopped);
    assert!(is_reset(&mut client).await);
}

#[tokio::test]
async fn the_end_of_the_servers_side_can_be_the_end_of_all() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let target = Server::start(move |mut stream: TcpStream| {
        let report = report.clone();
        async move {
            stream.write_all(b"all there is").await?;
            stream.shutdown().await?;
            let mut heard = Vec::new();
            let _ = report.send(stream.read_to_end(&mut heard).await.map(|_| heard).unwrap());
            Ok(())
        }
    });
    let (bastion, target) = (Bastion::start().await, target.unwrap());
    let tunnel = open(&bastion).await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).close_on_eof(true));
    let mut all = String::new();
    within(client.read_to_string(&mut all)).await.unwrap();
    assert_eq!(all, "all there is");
    // Though the client has not ended its half.
    let ended = within(adopted.ended()).await;
    assert!(matches!(ended, Ended { sent: 0, received: 12, end: End::Proper, .. }), "{ended:?}");
    assert_eq!(within(reports.recv()).await, Some(Vec::new()));

    // Otherwise the other half goes on.
    let (mut client, adopted) = adopt(&tunnel, target.address()).await;
    let mut all = String::new();
    within(client.read_to_string(&mut all)).await.unwrap();
    client.write_all(b"still here").await.unwrap();
    drop(client);
    assert_eq!(within(reports.recv()).await, Some(b"still here".to_vec()));
    assert_eq!(within(adopted.ended()).await.sent, 10);
}

#[tokio::test]
async fn it_has_an_idle_timeout_of_its_own_that_can_change() {
    const SHORT: Duration = Duration::from_millis(20);
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().idle_timeout(SHORT).open().await.unwrap();
    let (_usual, usual) = adopt(&tunnel, target.address()).await;
    let (client, socket) = accepted().await;
    let patient = tunnel.adopt(socket, Adopt::to(target.address()).idle_timeout(None));
    assert_eq!(cut(&within(usual.ended()).await), io::ErrorKind::TimedOut);
    within(echo(client, Payload::new(6), 100_000)).await.unwrap();
    within(patient.ended()).await;

    let tunnel = open(&bastion).await;
    let (_client, adopted) = adopt(&tunnel, target.address()).await;
    within(adopted.reached()).await.unwrap();
    adopted.set_idle_timeout(Some(SHORT));
    assert_eq!(cut(&within(adopted.ended()).await), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn how_others_cut_it_is_told() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = open(&bastion).await;
    let (client, adopted) = adopt(&tunnel, target.address()).await;
    within(adopted.reached()).await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(cut(&within(adopted.ended()).await), io::ErrorKind::ConnectionReset);

    let (mut client, adopted) = adopt(&tunnel, target.address()).await;
    within(adopted.reached()).await.unwrap();
    within(tunnel.stop(Duration::ZERO)).await;
    assert_eq!(cut(&within(adopted.ended()).await), io::ErrorKind::NotConnected);
    assert!(is_reset(&mut client).await);
    let (_client, late) = adopt_late(&tunnel, target.address()).await;
    assert_eq!(*within(late.reached()).await.unwrap_err().kind(), ErrorKind::Stopped);
}

/// From a thread that knows no runtime, as a program's own may be.
async fn adopt_late(tunnel: &Tunnel, target: SocketAddr) -> (TcpStream, Adopted) {
    let (client, socket) = accepted().await;
    let tunnel = tunnel.clone();
    let adopted = std::thread::spawn(move || tunnel.adopt(socket, Adopt::to(target))).join().unwrap();
    (client, adopted)
}
