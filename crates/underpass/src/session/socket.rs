//! A connected socket whose readiness the session's own task follows.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// With epoll and kqueue a read that leaves room in the buffer has emptied the socket, and a write that leaves bytes
/// behind has filled it. Taking that for "not ready any more" spares the system call that would only say so.
const SHORT_MEANS_DONE: bool = cfg!(unix);

pub(crate) struct Socket {
    stream: TcpStream,
    /// A clean end now would hide a loss.
    resets: bool,
}

impl Socket {
    /// What carries an SSH connection, which says by itself how it ends.
    pub(crate) fn transport(stream: TcpStream) -> Self {
        Self { stream, resets: false }
    }

    /// An end of a forwarded connection. Dropped before it is [complete](Self::complete) it is reset, so that the
    /// program behind it learns that something was lost.
    pub(crate) fn forwarded(stream: TcpStream) -> Self {
        Self { stream, resets: true }
    }

    /// Everything that was to be carried has been, both ways.
    pub(crate) fn complete(&mut self) {
        self.resets = false;
    }

    /// Whether there may be something to read.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    /// Reads into one buffer. Zero means the end.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_vectored(cx, &mut [IoSliceMut::new(buffer)])
    }

    /// Reads into several buffers in order. Zero means the end.
    pub(crate) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let read = || (&*SockRef::from(&self.stream)).read_vectored(buffers);
            if let Some(done) = self.attempt(Interest::READABLE, room, read) {
                return Poll::Ready(done);
            }
        }
    }

    /// Writes from one buffer.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buffer)])
    }

    /// Writes from several buffers in order.
    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let write = || (&*SockRef::from(&self.stream)).write_vectored(buffers);
            if let Some(done) = self.attempt(Interest::WRITABLE, total, write) {
                return Poll::Ready(done);
            }
        }
    }

    /// Acknowledges now what has come, where the system can be told to.
    ///
    /// A server that leaves Nagle's algorithm on keeps back the short end of a burst until the rest is acknowledged,
    /// which would take 40 ms.
    pub(crate) fn acknowledge(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&self.stream).set_tcp_quickack(true);
    }

    /// Ends our half, or both.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        // A peer that is gone already needs no notice.
        let _ = SockRef::from(&self.stream).shutdown(how);
    }

    /// One system call; `None` when the socket was not ready after all.
    fn attempt(
        &self,
        interest: Interest,
        wanted: usize,
        mut call: impl FnMut() -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        let mut done = None;
        // The closure's error is how readiness is taken back; the outcome itself is kept beside it.
        let _ = self.stream.try_io(interest, || {
            loop {
                match call() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                    outcome => {
                        let short = matches!(outcome, Ok(count) if 0 < count && count < wanted);
                        done = Some(outcome);
                        return match short && SHORT_MEANS_DONE {
                            true => Err(io::ErrorKind::WouldBlock.into()),
                            false => Ok(()),
                        };
                    }
                }
            }
        });
        done
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.resets {
            // With nothing to linger for, closing is a reset. A connection that is gone already needs none.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}
