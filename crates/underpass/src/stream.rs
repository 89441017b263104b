use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::session::Pipe;

/// A connection to a target behind the server, see [`Tunnel::connect`](crate::Tunnel::connect).
///
/// Reading gives an error, not an end, when the tunnel broke before the target ended the connection. Dropping it ends
/// both halves at once, as with a socket: what the target still sends is refused, and that may overtake what was written
/// last. For an orderly end, shut down and read to the end.
#[derive(Debug)]
pub struct Stream(Pipe);

impl Stream {
    pub(crate) fn new(pipe: Pipe) -> Self {
        Self(pipe)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let space = buffer.initialize_unfilled();
        if space.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let read = self.0.poll_read_vectored(cx, &mut [IoSliceMut::new(space)]);
        read.map_ok(|count| buffer.advance(count))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is kept back here.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.finish();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.finish();
    }
}
