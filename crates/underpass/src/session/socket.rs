//! One end of a connection, whatever it is made of, whose readiness the session's own task follows.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::pipe::Pipe;
use crate::SocketOptions;

/// With epoll and kqueue a read that leaves room in the buffer has emptied the socket, and a write that leaves bytes
/// behind has filled it. Taking that for "not ready any more" spares the system call that would only say so.
const SHORT_MEANS_DONE: bool = cfg!(unix);

pub(crate) struct Socket {
    stream: Stream,
    /// A clean end now would hide a loss.
    resets: bool,
}

/// What a connection can be made of.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// Within the process.
    Pipe(Pipe),
    /// Anything else that carries an SSH connection: TLS to a proxy, a proxy command.
    Other(Box<dyn Duplex>),
}

/// A stream of bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl From<Pipe> for Stream {
    fn from(pipe: Pipe) -> Self {
        Self::Pipe(pipe)
    }
}

impl Socket {
    /// What carries an SSH connection, which says by itself how it ends.
    pub(crate) fn transport(stream: impl Into<Stream>) -> Self {
        Self { stream: stream.into(), resets: false }
    }

    /// An end of a forwarded connection. Dropped before it is [complete](Self::complete) it is reset, so that the
    /// program behind it learns that something was lost.
    pub(crate) fn forwarded(stream: impl Into<Stream>) -> Self {
        Self { stream: stream.into(), resets: true }
    }

    /// Sets what can be set on it, which is nothing but for TCP.
    pub(crate) fn configure(&self, options: &SocketOptions) {
        if let Stream::Tcp(stream) = &self.stream {
            // Not fatal: the connection is only slower, or found dead later.
            let _ = options.apply(&SockRef::from(stream));
        }
    }

    /// Everything that was to be carried has been, both ways.
    pub(crate) fn complete(&mut self) {
        self.resets = false;
    }

    /// Whether there may be something to read.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.stream {
            Stream::Tcp(stream) => stream.poll_read_ready(cx),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.poll_read_ready(cx),
            Stream::Pipe(pipe) => pipe.poll_readable(cx).map(Ok),
            Stream::Other(_) => Poll::Ready(Ok(())),
        }
    }

    /// Reads into one buffer. Zero means the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_vectored(cx, &mut [IoSliceMut::new(buffer)])
    }

    /// Reads into several buffers in order. Zero means the end.
    pub(crate) fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Pipe(pipe) => return pipe.poll_read_vectored(cx, buffers),
            Stream::Other(stream) => {
                let Some(first) = buffers.first_mut() else { return Poll::Ready(Ok(0)) };
                let mut buffer = ReadBuf::new(first);
                ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
                return Poll::Ready(Ok(buffer.filled().len()));
            }
            _ => {}
        }
        let room: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        loop {
            ready!(self.poll_readable(cx))?;
            let read = |mut socket: &socket2::Socket| socket.read_vectored(buffers);
            if let Some(done) = self.attempt(Interest::READABLE, room, read) {
                return Poll::Ready(done);
            }
        }
    }

    /// Writes from one buffer.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buffer)])
    }

    /// Writes from several buffers in order.
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Pipe(pipe) => return pipe.poll_write_vectored(cx, buffers),
            Stream::Other(stream) => return Pin::new(stream).poll_write_vectored(cx, buffers),
            _ => {}
        }
        let total: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        loop {
            ready!(self.poll_writable(cx))?;
            let write = |mut socket: &socket2::Socket| socket.write_vectored(buffers);
            if let Some(done) = self.attempt(Interest::WRITABLE, total, write) {
                return Poll::Ready(done);
            }
        }
    }

    /// Sees that everything written leaves, where something in between keeps it back. The sockets of the system do not.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Other(stream) => Pin::new(stream).poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Acknowledges now what has come, where the system can be told to.
    ///
    /// A server that leaves Nagle's algorithm on, as OpenSSH's does for forwards, keeps back whatever is short until all
    /// before it is acknowledged, which would take 40 ms.
    pub(crate) fn acknowledge(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Stream::Tcp(stream) = &self.stream {
            let _ = SockRef::from(stream).set_tcp_quickack(true);
        }
    }

    /// Ends our half.
    pub(crate) fn finish(&self) {
        // A peer that is gone already needs no notice.
        let _ = match &self.stream {
            Stream::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Stream::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Stream::Pipe(pipe) => {
                pipe.finish();
                Ok(())
            }
            // Dropping it ends it.
            Stream::Other(_) => Ok(()),
        };
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.stream {
            Stream::Tcp(stream) => stream.poll_write_ready(cx),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.poll_write_ready(cx),
            Stream::Pipe(_) | Stream::Other(_) => Poll::Ready(Ok(())),
        }
    }

    /// One system call; `None` when the socket was not ready after all.
    fn attempt(
        &self,
        interest: Interest,
        wanted: usize,
        mut call: impl FnMut(&socket2::Socket) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        let mut done = None;
        // The closure's error is how readiness is taken back; the outcome itself is kept beside it.
        let mut once = |socket: &socket2::Socket| loop {
            match call(socket) {
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
        };
        let _ = match &self.stream {
            Stream::Tcp(stream) => stream.try_io(interest, || once(&SockRef::from(stream))),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.try_io(interest, || once(&SockRef::from(stream))),
            // They have no system call of their own, see the callers.
            Stream::Pipe(_) | Stream::Other(_) => Ok(()),
        };
        done
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        match &self.stream {
            // With nothing to linger for, closing is a reset. A connection that is gone already needs none.
            Stream::Tcp(stream) if self.resets => {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
            // A pipe that is dropped unfinished is reset. Unix-domain sockets know no reset.
            Stream::Pipe(pipe) if !self.resets => pipe.finish(),
            _ => {}
        }
    }
}
