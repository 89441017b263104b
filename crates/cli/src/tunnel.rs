//! `underpass -L … host`: opens the tunnel, and keeps it until it is told to stop.

use std::time::{Duration, Instant};

use underpass::{Builder, Error, Event, HostKeyPolicy, Settings, Tunnel};

use crate::{
    exit::Exit,
    output::Reporter,
    prompt::{Terminal, TerminalPrompter},
    signals::Signals,
    status::{PERIOD, Status},
};

/// Runs a tunnel from beginning to end.
///
/// # Errors
/// What ended it, other than being told to stop.
pub(crate) async fn run(settings: Settings, reporter: Reporter, terminal: Terminal) -> Result<Exit, Error> {
    let mut signals = Signals::new()?;
    if settings.host_key_policy == HostKeyPolicy::DangerouslyAcceptAny {
        reporter.event(&Event::Warning { text: UNCHECKED.to_owned() });
    }
    let server = format!("{}@{}", settings.login_user()?, settings.host);
    let observer = reporter.clone();
    let builder = Builder::from(settings)
        .prompter(TerminalPrompter::new(server, terminal))
        .observer(move |event| observer.event(event));
    let tunnel = tokio::select! {
        tunnel = builder.open() => tunnel?,
        () = signals.next() => return Ok(Exit::CUT),
    };
    tokio::select! {
        ended = tunnel.closed() => return ended.map(|()| Exit::DONE),
        () = signals.next() => {}
        () = show_status("open", &tunnel, &reporter) => {}
    }
    tokio::select! {
        () = tunnel.stop(GRACE) => Ok(Exit::DONE),
        () = signals.next() => {
            let open = tunnel.stats().open;
            reporter.event(&Event::Warning { text: format!("cut short; connections still open: {open}") });
            Ok(Exit::CUT)
        }
        () = show_status("stopping", &tunnel, &reporter) => Ok(Exit::DONE),
    }
}

/// Keeps the status line fresh, for ever.
async fn show_status(state: &str, tunnel: &Tunnel, reporter: &Reporter) {
    if !reporter.has_status() {
        return std::future::pending().await;
    }
    let mut status = Status::new(tunnel.stats(), Instant::now());
    loop {
        tokio::time::sleep(PERIOD).await;
        reporter.status(&status.line(state, tunnel.stats(), Instant::now()));
    }
}

/// How long connections may go on after the first signal.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

const UNCHECKED: &str = "THE SERVER'S KEY IS NOT CHECKED: whoever answers gets the password, and can read and change \
                         all that the tunnel carries";
