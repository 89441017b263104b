//! A connection within the process: what the socket pair is to the system, without descriptors.
//!
//! It carries what a program dials through a tunnel, and the SSH connection to the next hop through the one before.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut, Read as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::blocking::lock;

/// Bytes that wait in one direction. Less makes more turns, more is not in the processor's cache.
const CAPACITY: usize = 256 * 1024;

/// What an idle direction keeps allocated.
const IDLE_CAPACITY: usize = 16 * 1024;

/// Two ends that are connected to each other.
pub(crate) fn pipe() -> (Pipe, Pipe) {
    let (there, back) = (Arc::new(Lane::default()), Arc::new(Lane::default()));
    (Pipe { outgoing: there.clone(), incoming: back.clone() }, Pipe { outgoing: back, incoming: there })
}

/// One end. Dropped before it is [finished](Self::finish) it is reset: the other end reads an error, not an end.
pub(crate) struct Pipe {
    outgoing: Arc<Lane>,
    incoming: Arc<Lane>,
}

/// One direction.
#[derive(Default)]
struct Lane(Mutex<State>);

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    end: Option<End>,
    /// Nobody will read what is written.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What comes behind the bytes.
#[derive(Clone, Copy)]
enum End {
    Finished,
    Reset,
}

impl Pipe {
    /// Whether reading would give anything: bytes, the end, or an error.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut lane = self.incoming.lock();
        if lane.bytes.is_empty() && lane.end.is_none() {
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Reads into several buffers in order. Zero means the end.
    pub(crate) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut lane = self.incoming.lock();
        if lane.bytes.is_empty() {
            return match lane.end {
                Some(End::Finished) => Poll::Ready(Ok(0)),
                Some(End::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                None => {
                    lane.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        let mut count = 0;
        for buffer in buffers {
            // Reading from bytes in memory does not fail; it comes to the wrap of the ring, hence twice.
            let first = lane.bytes.read(buffer)?;
            count += first + lane.bytes.read(&mut buffer[first..])?;
        }
        if lane.bytes.is_empty() {
            lane.bytes.shrink_to(IDLE_CAPACITY);
        }
        let writer = lane.writer.take();
        drop(lane);
        wake(writer);
        Poll::Ready(Ok(count))
    }

    /// Writes from several buffers in order.
    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut lane = self.outgoing.lock();
        if lane.deaf || lane.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut room = CAPACITY.saturating_sub(lane.bytes.len());
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let mut count = 0;
        for buffer in buffers {
            let taken = buffer.len().min(room);
            lane.bytes.extend(&buffer[..taken]);
            (room, count) = (room - taken, count + taken);
        }
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
        Poll::Ready(Ok(count))
    }

    /// Ends our half; what was written can still be read.
    pub(crate) fn finish(&self) {
        self.outgoing.end(End::Finished);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outgoing.end(End::Reset);
        let mut lane = self.incoming.lock();
        lane.deaf = true;
        lane.bytes = VecDeque::new();
        let writer = lane.writer.take();
        drop(lane);
        wake(writer);
    }
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pipe")
    }
}

impl Lane {
    fn end(&self, end: End) {
        let mut lane = self.lock();
        lane.end.get_or_insert(end);
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves it sound.
        lock(&self.0)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(pipe: &Pipe, bytes: &[u8]) -> Poll<io::Result<usize>> {
        pipe.poll_write_vectored(&mut Context::from_waker(Waker::noop()), &[IoSlice::new(bytes)])
    }

    fn read(pipe: &Pipe, length: usize) -> Poll<io::Result<Vec<u8>>> {
        let mut buffer = vec![0; length];
        let mut slices = [IoSliceMut::new(&mut buffer)];
        match pipe.poll_read_vectored(&mut Context::from_waker(Waker::noop()), &mut slices) {
            Poll::Ready(Ok(count)) => Poll::Ready(Ok(buffer[..count].to_vec())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn bytes(read: Poll<io::Result<Vec<u8>>>) -> Vec<u8> {
        let Poll::Ready(read) = read else { panic!("nothing to read") };
        read.unwrap()
    }

    #[test]
    fn bytes_come_out_in_order_across_the_wrap_of_the_ring() {
        let (a, b) = pipe();
        let (mut sent, mut received) = (0u32, Vec::new());
        for _ in 0..1000 {
            let chunk: Vec<u8> = (0..777u32).map(|at| ((sent + at) % 251) as u8).collect();
            let Poll::Ready(count) = write(&a, &chunk) else { panic!("there is room") };
            sent += count.unwrap() as u32;
            received.extend(bytes(read(&b, 770)));
        }
        while !read(&b, 0).is_pending() {
            received.extend(bytes(read(&b, 4096)));
        }
        assert_eq!(received.len(), sent as usize);
        assert!(received.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8));
    }

    #[test]
    fn a_full_pipe_takes_no_more_until_somebody_reads() {
        let (a, b) = pipe();
        let Poll::Ready(Ok(count)) = write(&a, &vec![0; CAPACITY + 1]) else { panic!("it is empty") };
        assert_eq!(count, CAPACITY);
        assert!(write(&a, b"x").is_pending());
        read(&b, 1).is_ready();
        assert!(matches!(write(&a, b"xy"), Poll::Ready(Ok(1))));
    }

    #[test]
    fn halves_end_by_themselves_and_a_drop_is_a_reset() {
        let (a, b) = pipe();
        write(&a, b"last").is_ready();
        a.finish();
        assert_eq!(bytes(read(&b, 9)), b"last");
        assert_eq!(bytes(read(&b, 9)), b"");
        assert!(matches!(write(&b, b"back"), Poll::Ready(Ok(4))));
        assert_eq!(bytes(read(&a, 9)), b"back");
        drop(b);
        assert!(
            matches!(read(&a, 9), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset)
        );
        let (a, b) = pipe();
        drop(a);
        assert!(
            matches!(write(&b, b"x"), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe)
        );
    }
}
