//! Two sockets that are connected to each other by copying, where no channel is in between.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use super::Socket;

/// What is in between, for each direction.
const BUFFER: usize = 64 * 1024;

/// Copies both ways until both have ended. After an error both are reset by being dropped.
///
/// # Errors
/// What either of them says.
pub(crate) async fn splice(mut near: Socket, mut far: Socket) -> io::Result<()> {
    let (mut out, mut back) = (Lane::new(), Lane::new());
    poll_fn(|cx| {
        let out = out.poll(cx, &mut near, &mut far)?;
        let back = back.poll(cx, &mut far, &mut near)?;
        if out.is_ready() && back.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
    .inspect(|()| {
        near.complete();
        far.complete();
    })
}

/// One direction.
struct Lane {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Lane {
    fn new() -> Self {
        Self { buffer: vec![0; BUFFER], start: 0, end: 0, ended: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Socket, to: &mut Socket) -> Poll<io::Result<()>> {
        while !self.ended {
            if self.start == self.end {
                self.end = ready!(from.poll_read(cx, &mut self.buffer))?;
                self.start = 0;
                if self.end == 0 {
                    to.finish();
                    self.ended = true;
                    break;
                }
            }
            self.start += ready!(to.poll_write(cx, &self.buffer[self.start..self.end]))?;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::session::pipe;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn spliced() -> (Stream, Stream) {
        let ((near, inner_near), (inner_far, far)) = (pipe(), pipe());
        tokio::spawn(splice(Socket::forwarded(inner_near), Socket::forwarded(inner_far)));
        (Stream::new(near), Stream::new(far))
    }

    #[tokio::test]
    async fn each_half_ends_by_itself() {
        let (mut near, mut far) = spliced();
        near.write_all(&[7; 300_000]).await.unwrap();
        near.shutdown().await.unwrap();
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 300_000);
        far.write_all(b"answer").await.unwrap();
        far.shutdown().await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    }

    #[tokio::test]
    async fn a_reset_stays_one() {
        let ((near, inner_near), (inner_far, far)) = (pipe(), pipe());
        let spliced = tokio::spawn(splice(Socket::forwarded(inner_near), Socket::forwarded(inner_far)));
        drop(far);
        spliced.await.unwrap().unwrap_err();
        let mut byte = [0];
        let read = poll_fn(|cx| near.poll_read_vectored(cx, &mut [io::IoSliceMut::new(&mut byte)])).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
