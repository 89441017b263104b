//! The relay that makes a link long.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use super::plain::reset;
use crate::server::Server;
use crate::unpaced;

/// Most bytes that all connections of one relay may have under way, both directions together. At 100 ms round trip it
/// lets 5 GB/s through, more than any loopback link carries.
pub const MEMORY: usize = 256 * 1024 * 1024;

pub(super) fn listen(address: SocketAddr, to: SocketAddr, by: Duration) -> io::Result<Server> {
    let memory = Arc::new(Semaphore::new(MEMORY));
    Server::listen(address, move |client| relay(client, to, by, Arc::clone(&memory)))
}

async fn relay(client: TcpStream, to: SocketAddr, by: Duration, memory: Arc<Semaphore>) -> io::Result<()> {
    let server = unpaced::connect(to).await?;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let up = pass(client_read, server_write, by, Arc::clone(&memory));
    let down = pass(server_read, client_write, by, memory);
    tokio::try_join!(up, down).map(drop)
}

/// Carries one direction. Reading goes on while earlier bytes wait, which is what tells a long link from a slow one.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    by: Duration,
    memory: Arc<Semaphore>,
) -> io::Result<()> {
    let (queue, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async {
        let mut buffer = vec![0; CHUNK];
        loop {
            let n = from.read(&mut buffer).await?;
            let permit = memory.acquire_many(n as u32).await.expect("the semaphore is never closed");
            permit.forget();
            // An empty piece stands for the end of stream. The queue outlives this loop.
            let sent = queue.send((Instant::now() + by, buffer[..n].to_vec()));
            if n == 0 || sent.is_err() {
                return io::Result::Ok(());
            }
        }
    };
    let writing = async {
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            let written = to.write_all(&bytes).await;
            memory.add_permits(bytes.len());
            written?;
        }
        Ok(())
    };
    let ended = tokio::try_join!(reading, writing).map(drop);
    if ended.is_err() {
        reset(from.as_ref());
        reset(to.as_ref());
        // Let go of what never got written.
        while let Ok((_, bytes)) = due.try_recv() {
            memory.add_permits(bytes.len());
        }
    }
    ended
}

/// Read size; also the granularity at which delays are kept.
const CHUNK: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;
    use crate::relay::Relay;
    use crate::target::Target;

    const ONE_WAY: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_round_trip_takes_twice_the_delay() {
        let target = Target::Echo.start().unwrap();
        let relay = Relay::Delay(ONE_WAY).start(target.address()).unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let mut byte = [0];
        let started = Instant::now();
        stream.write_all(b"x").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert!(started.elapsed() >= 2 * ONE_WAY, "took {:?}", started.elapsed());
    }

    #[tokio::test]
    async fn bytes_under_way_do_not_wait_for_each_other() {
        let payload = Payload::new(5);
        let length = 64 * CHUNK;
        let target = Target::Burst(payload, length as u64).start().unwrap();
        let relay = Relay::Delay(ONE_WAY).start(target.address()).unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let mut received = Vec::new();
        let started = Instant::now();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), length);
        payload.check(0, &received).unwrap();
        // A relay that waited for each piece in turn would need 64 delays.
        assert!(started.elapsed() < 32 * ONE_WAY, "took {:?}", started.elapsed());
    }
}
