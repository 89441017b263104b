//! Telling whoever asked that a target was not reached.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::{Asker, Socket};
use crate::Error;
use crate::proxy_client::outcome;

/// How long a client may take to read why it failed, and to hang up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a client may still send meanwhile. Closing with bytes unread would be a reset, which overtakes the reply.
const MAX_UNREAD: usize = 64 * 1024;

/// Tells `asker` about the error. A connection that nobody asks about is reset by being dropped.
pub(crate) fn farewell(mut socket: Socket, asker: Asker, error: Error) {
    match asker {
        Asker::Nobody => {}
        Asker::Program(waiter) => {
            // Nobody waits any more.
            let _ = waiter.send(Err(error));
        }
        Asker::Proxy(acceptor) => {
            let reply = acceptor.answer(outcome(&error));
            tokio::spawn(async move {
                // Whoever does not read in time is reset.
                let _ = timeout(PATIENCE, last_words(&mut socket, &reply)).await;
            });
        }
    }
}

/// Writes `reply`, ends the connection cleanly, and waits for the other side to do so.
pub(crate) async fn last_words(socket: &mut Socket, reply: &[u8]) -> io::Result<()> {
    write_all(socket, reply).await?;
    socket.finish();
    let (mut unread, mut buffer) = (0, [0; 4096]);
    while unread < MAX_UNREAD {
        match poll_fn(|cx| socket.poll_read(cx, &mut buffer)).await? {
            0 => break,
            count => unread += count,
        }
    }
    socket.complete();
    Ok(())
}

/// Writes all of it.
pub(crate) async fn write_all(socket: &mut Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| socket.poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
