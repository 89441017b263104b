//! A TCP server on a thread of its own.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::unpaced;

/// A TCP server that serves every connection with the same function until it is dropped.
///
/// It has its own thread and its own single-threaded runtime, so it works under blocking and async callers alike.
/// Dropping it closes the listener and every connection that is still open.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepted: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on port 0 of 127.0.0.1.
    ///
    /// # Errors
    /// What the operating system says to binding, or to starting a thread.
    pub fn start<F, S>(serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::listen(LOOPBACK, serve)
    }

    /// Listens on `address`.
    ///
    /// An error of `serve` ends its connection and nothing else: peers that go away are part of most tests.
    ///
    /// # Errors
    /// What the operating system says to binding, or to starting a thread.
    pub fn listen<F, S>(address: SocketAddr, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = io::Result<()>> + Send + 'static,
    {
        let accepted = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&accepted);
        let (stop, stopped) = oneshot::channel();
        let (bound, started) = mpsc::channel();
        let thread = thread::Builder::new().name("testkit server".into()).spawn(move || {
            let result = run(address, &bound, |listener| accept(listener, counter, serve), stopped);
            if let Err(error) = result {
                // Nobody listens once the server has started, and then nothing fails any more.
                let _ = bound.send(Err(error));
            }
        })?;
        let address = started.recv().map_err(io::Error::other)??;
        Ok(Self { address, accepted, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, with the port that was picked.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread has been printed where it happened; a second one here would abort.
            let _ = thread.join();
        }
    }
}

/// Port 0 of the IPv4 loopback interface.
pub const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Serves on the calling thread until `stopped`; the address goes to `bound` as soon as it is known.
fn run<A: Future<Output = ()>>(
    address: SocketAddr,
    bound: &mpsc::Sender<io::Result<SocketAddr>>,
    accept: impl FnOnce(TcpListener) -> A,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = unpaced::listen(address).await?;
        // The receiver waits for exactly this.
        let _ = bound.send(listener.local_addr());
        tokio::select! {
            () = accept(listener) => {}
            // The sender is never used, only dropped.
            _ = stopped => {}
        }
        Ok(())
    })
}

async fn accept<F, S>(listener: TcpListener, counter: Arc<AtomicU64>, serve: F)
where
    F: Fn(TcpStream) -> S,
    S: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                counter.fetch_add(1, Ordering::Relaxed);
                // Tests measure round trips; a target must not add Nagle's delay to them.
                if stream.set_nodelay(true).is_ok() {
                    tokio::spawn(serve(stream));
                }
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Out of descriptors is the usual reason; without a pause the loop would spin until one is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
