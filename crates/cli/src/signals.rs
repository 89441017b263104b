//! Being told to stop.

use underpass::Error;

/// SIGINT and SIGTERM; elsewhere Ctrl-C.
pub(crate) struct Signals {
    #[cfg(unix)]
    streams: [tokio::signal::unix::Signal; 2],
}

impl Signals {
    /// From here on the signals no longer end the process. Needs a runtime.
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        use underpass::Step;

        let stream = |kind| {
            signal(kind).map_err(|error| {
                Error::internal(Step::Configure, "signals cannot be received").with_source(error)
            })
        };
        Ok(Self { streams: [stream(SignalKind::interrupt())?, stream(SignalKind::terminate())?] })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.streams;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// From here on Ctrl-C no longer ends the process.
    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a console there is nobody to press it.
            std::future::pending::<()>().await;
        }
    }
}
