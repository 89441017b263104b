//! Telling whoever asked that a target was not reached.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::{Asker, Carry, Socket};
use crate::proxy_client::outcome;
use crate::{End, Error};

/// How long a client may take to read why it failed, and to hang up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a client may still send meanwhile. Closing with bytes unread would be a reset, which overtakes the reply.
const MAX_UNREAD: usize = 64 * 1024;

/// Tells whoever wants to know that the target was not reached. A connection that nobody asks about is reset by being
/// dropped.
pub(crate) fn farewell(carry: Carry, error: Error) {
    let Carry { mut socket, asker, place, steered, .. } = carry;
    drop(place);
    if let Some(steered) = steered {
        steered.over(End::Unreached(error.clone()));
    }
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

/// Ends a connection from this side: everything for the client has been written, and must not be lost by a reset.
pub(super) fn part(mut socket: Socket) {
    tokio::spawn(async move {
        // Whoever goes on sending is reset then, as with any socket that is closed.
        let _ = timeout(PATIENCE, last_words(&mut socket, &[])).await;
        socket.complete();
    });
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

/// Waits until the other side ends the connection; what still comes does not matter.
pub(super) async fn end_of(socket: &mut Socket) {
    let mut buffer = [0; 4096];
    while poll_fn(|cx| socket.poll_read(cx, &mut buffer)).await.is_ok_and(|count| count > 0) {}
}

/// Writes all of it.
pub(crate) async fn write_all(socket: &mut Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| socket.poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
