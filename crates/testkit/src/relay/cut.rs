//! The relay that breaks the link on command.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::plain::{pass_both, reset};
use crate::server::{LOOPBACK, Server};
use crate::unpaced;

/// A relay to one address whose connections can be broken while they run.
#[derive(Debug)]
pub struct CuttingRelay {
    server: Server,
    link: watch::Sender<Link>,
}

/// What the link does; a change of `cuts` or `losses` ends the connections that are open, one of `strandings` their near
/// sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    to: SocketAddr,
    cuts: u64,
    /// How often the far side was lost.
    losses: u64,
    strandings: u64,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    Silence,
    Refusal,
}

impl CuttingRelay {
    /// Starts it on a loopback port of its own, leading to `to`.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn start(to: SocketAddr) -> io::Result<Self> {
        Self::listen(LOOPBACK, to)
    }

    /// Starts it on `address`, leading to `to`.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn listen(address: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let (link, watched) =
            watch::channel(Link { to, cuts: 0, losses: 0, strandings: 0, fault: Fault::None });
        let server = Server::listen(address, move |client| serve(client, watched.clone()))?;
        Ok(Self { server, link })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections it has accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.server.accepted()
    }

    /// Resets all open connections on both sides. New ones are served.
    pub fn cut(&self) {
        self.link.send_modify(|link| link.cuts += 1);
    }

    /// Resets the near side of all open connections, and keeps the far side open and silent until it is closed there:
    /// the client has gone, and nobody told the server. New ones are served.
    pub fn strand(&self) {
        self.link.send_modify(|link| link.strandings += 1);
    }

    /// Stops passing bytes in either direction, keeping everything open: the cable is pulled out. New connections are
    /// accepted and get nothing either.
    pub fn black_hole(&self) {
        self.link.send_modify(|link| link.fault = Fault::Silence);
    }

    /// Closes the far side and keeps the near side open and silent: the server has gone, and nobody told the client.
    /// New connections are served.
    pub fn half_open(&self) {
        self.link.send_modify(|link| link.losses += 1);
    }

    /// Resets new connections as soon as they are accepted, and counts them. Those that are open go on.
    pub fn refuse(&self) {
        self.link.send_modify(|link| link.fault = Fault::Refusal);
    }

    /// Leads new connections to another address.
    pub fn lead_to(&self, to: SocketAddr) {
        self.link.send_modify(|link| link.to = to);
    }

    /// Ends a refusal or a silence: bytes that waited are passed on.
    pub fn restore(&self) {
        self.link.send_modify(|link| link.fault = Fault::None);
    }
}

async fn serve(mut client: TcpStream, mut link: watch::Receiver<Link>) -> io::Result<()> {
    let Link { to, cuts, losses, strandings, fault } = *link.borrow();
    if fault == Fault::Refusal {
        reset(&client);
        return Ok(());
    }
    let mut server = unpaced::connect(to).await?;
    {
        // Not polled during a silence, and not dropped either: bytes that it holds are not lost.
        let mut passing = pin!(pass_both(&mut client, &mut server, || |_: &mut [u8]| {}));
        loop {
            let now = *link.borrow_and_update();
            if (now.cuts, now.losses, now.strandings) != (cuts, losses, strandings) {
                break;
            }
            tokio::select! {
                ended = &mut passing, if now.fault != Fault::Silence => return ended,
                changed = link.changed() => changed.map_err(io::Error::other)?,
            }
        }
    }
    if link.borrow().strandings != strandings {
        reset(&client);
        drop(client);
        return discard(server).await;
    }
    if link.borrow().cuts == cuts {
        drop(server);
        link.wait_for(|link| link.cuts != cuts).await.map_err(io::Error::other)?;
    } else {
        reset(&server);
    }
    reset(&client);
    Ok(())
}

/// Acknowledges what still comes, as a machine does that is up, and forgets it.
async fn discard(mut stream: TcpStream) -> io::Result<()> {
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    async fn round_trip(stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(b"x").await?;
        stream.read_exact(&mut [0]).await.map(drop)
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_open_and_serves_what_comes_next() {
        let target = Target::Echo.start().unwrap();
        let relay = CuttingRelay::start(target.address()).unwrap();
        let mut first = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut first).await.unwrap();
        relay.cut();
        let error = first.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let mut second = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut second).await.unwrap();
        assert_eq!(relay.accepted(), 2);
    }

    #[tokio::test]
    async fn a_black_hole_holds_bytes_back_until_restored() {
        let target = Target::Echo.start().unwrap();
        let relay = CuttingRelay::start(target.address()).unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut stream).await.unwrap();
        relay.black_hole();
        stream.write_all(b"x").await.unwrap();
        let silence = timeout(Duration::from_millis(50), stream.read_exact(&mut [0])).await;
        assert!(silence.is_err(), "a byte passed a black hole");
        relay.restore();
        stream.read_exact(&mut [0]).await.unwrap();
        round_trip(&mut stream).await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_resets_who_comes_and_counts_them() {
        let target = Target::Echo.start().unwrap();
        let relay = CuttingRelay::start(target.address()).unwrap();
        let mut open = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut open).await.unwrap();
        relay.refuse();
        // Connecting may already see the reset.
        if let Ok(mut late) = TcpStream::connect(relay.address()).await {
            assert!(late.read(&mut [0]).await.is_err());
        }
        assert_eq!(relay.accepted(), 2);
        round_trip(&mut open).await.unwrap();
        relay.restore();
        round_trip(&mut TcpStream::connect(relay.address()).await.unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn who_comes_after_a_change_is_led_elsewhere() {
        let target = Target::Echo.start().unwrap();
        let relay = CuttingRelay::start(LOOPBACK).unwrap();
        relay.lead_to(target.address());
        round_trip(&mut TcpStream::connect(relay.address()).await.unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_half_open_connection_accepts_bytes_and_answers_none_until_cut() {
        let target = Target::Echo.start().unwrap();
        let relay = CuttingRelay::start(target.address()).unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut stream).await.unwrap();
        relay.half_open();
        stream.write_all(b"x").await.unwrap();
        let silence = timeout(Duration::from_millis(50), stream.read(&mut [0])).await;
        assert!(silence.is_err(), "the near side noticed");
        relay.cut();
        assert!(stream.read(&mut [0]).await.is_err());
    }

    #[tokio::test]
    async fn a_stranded_connection_ends_for_the_client_alone() {
        let (closed, mut ended) = tokio::sync::mpsc::unbounded_channel();
        let target = Server::listen(LOOPBACK, move |mut stream: TcpStream| {
            let closed = closed.clone();
            async move {
                stream.read_exact(&mut [0]).await?;
                stream.write_all(b"y").await?;
                let outcome = stream.read(&mut [0]).await;
                closed.send(()).map_err(io::Error::other)?;
                outcome.map(drop)
            }
        });
        let target = target.unwrap();
        let relay = CuttingRelay::start(target.address()).unwrap();
        let mut first = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut first).await.unwrap();
        relay.strand();
        assert_eq!(first.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let mut second = TcpStream::connect(relay.address()).await.unwrap();
        round_trip(&mut second).await.unwrap();
        assert!(timeout(Duration::from_millis(50), ended.recv()).await.is_err(), "the far side noticed");
    }
}
