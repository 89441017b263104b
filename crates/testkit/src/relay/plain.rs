//! The relay that changes nothing.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use crate::unpaced;

/// Passes bytes between `client` and a new connection to `to` until both directions have ended.
pub(super) async fn relay(client: TcpStream, to: SocketAddr) -> io::Result<()> {
    relay_through(client, to, || |_: &mut [u8]| {}).await
}

/// Like [`relay`], with a stage for each direction that sees every stretch of bytes once, in order.
pub(super) async fn relay_through<S: FnMut(&mut [u8])>(
    mut client: TcpStream,
    to: SocketAddr,
    new_stage: impl Fn() -> S,
) -> io::Result<()> {
    let mut server = unpaced::connect(to).await?;
    pass_both(&mut client, &mut server, new_stage).await
}

/// Passes bytes both ways until both directions have ended, or one has failed; then both connections will be reset.
pub(super) async fn pass_both<S: FnMut(&mut [u8])>(
    client: &mut TcpStream,
    server: &mut TcpStream,
    new_stage: impl Fn() -> S,
) -> io::Result<()> {
    let (client_read, client_write) = client.split();
    let (server_read, server_write) = server.split();
    let up = pass(client_read, server_write, new_stage());
    let down = pass(server_read, client_write, new_stage());
    let ended = tokio::try_join!(up, down).map(drop);
    if ended.is_err() {
        reset(client);
        reset(server);
    }
    ended
}

/// Makes the close of `stream` a reset, so that a connection that broke on one side does not end cleanly on the other.
pub(super) fn reset(stream: &TcpStream) {
    // An error means that the connection is gone already, which is what is wanted.
    let _ = stream.set_zero_linger();
}

async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut stage: impl FnMut(&mut [u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = from.read(&mut buffer).await?;
        if n == 0 {
            return to.shutdown().await;
        }
        stage(&mut buffer[..n]);
        to.write_all(&buffer[..n]).await?;
    }
}

/// The size from which on system calls no longer show in the CPU time of a relay. Only touched pages are resident.
const BUFFER: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::Relay;
    use crate::target::{Receipt, Target};
    use crate::{Payload, Server};

    async fn upload(relay: &Server, payload: Payload, length: usize) -> Vec<u8> {
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let mut bytes = vec![0; length];
        payload.fill(0, &mut bytes);
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn bytes_and_half_close_pass_a_plain_relay() {
        let payload = Payload::new(9);
        let target = Target::Sink.start().unwrap();
        let relay = Relay::Plain.start(target.address()).unwrap();
        let answer = upload(&relay, payload, 3_000_000).await;
        assert_eq!(answer, Receipt::of(payload, 3_000_000).encode());
    }

    #[tokio::test]
    async fn a_sealing_relay_keeps_the_length_and_changes_the_bytes() {
        let payload = Payload::new(9);
        let target = Target::Echo.start().unwrap();
        let relay = Relay::Seal.start(target.address()).unwrap();
        let answer = upload(&relay, payload, 1_000_000).await;
        assert_eq!(answer.len(), 1_000_000);
        assert!(payload.check(0, &answer).is_err());
    }

    #[tokio::test]
    async fn a_destination_that_refuses_resets_the_client() {
        let refusing = crate::target::Refusing::start().unwrap();
        let relay = Relay::Plain.start(refusing.address()).unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    }
}
