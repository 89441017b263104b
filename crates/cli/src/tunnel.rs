//! `underpass -L … host`: opens the tunnel, and keeps it until it is told to stop.

use std::time::{Duration, Instant};

use serde_json::json;
use underpass::{Builder, Endpoint, Error, Event, HostKeyPolicy, Settings, Tunnel};

use crate::{
    exit::Exit,
    output::Reporter,
    prompt::{Terminal, TerminalPrompter},
    signals::Signals,
    status::{PERIOD, Status},
    stdio,
};

/// What is to be done with a tunnel.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// What standard input and output are connected to.
    pub(crate) stdio: Option<Endpoint>,
    /// How long it may take to be ready, if anybody wants to know.
    pub(crate) wait_ready: Option<Duration>,
}

/// Runs a tunnel from beginning to end.
///
/// # Errors
/// What ended it, other than being told to stop.
pub(crate) async fn run(plan: Plan, reporter: Reporter, terminal: Terminal) -> Result<Exit, Error> {
    let Plan { settings, stdio, wait_ready } = plan;
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
        // A tunnel that is open is one that was stopped, whichever is heard of first.
        biased;
        tunnel = builder.open() => tunnel?,
        () = signals.next() => return Ok(Exit::CUT),
    };
    let work = async {
        if let Some(patience) = wait_ready {
            tunnel.wait_ready(patience).await?;
            reporter.step("ready", json!({}), "the tunnel is ready");
        }
        match &stdio {
            Some(target) => stdio::carry(&tunnel, target).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = tunnel.closed() => return ended.map(|()| Exit::DONE),
        done = work => {
            tunnel.stop(Duration::ZERO).await;
            return done.map(|()| Exit::DONE);
        }
        () = signals.next() => {}
        () = show_status(&tunnel, &reporter) => {}
    }
    tokio::select! {
        () = tunnel.stop(GRACE) => Ok(Exit::DONE),
        () = signals.next() => {
            let open = tunnel.stats().open;
            reporter.event(&Event::Warning { text: format!("cut short; connections still open: {open}") });
            Ok(Exit::CUT)
        }
        () = show_status(&tunnel, &reporter) => Ok(Exit::DONE),
    }
}

/// Keeps the status line fresh, for ever.
async fn show_status(tunnel: &Tunnel, reporter: &Reporter) {
    if !reporter.has_status() {
        return std::future::pending().await;
    }
    let mut status = Status::new(tunnel.stats(), Instant::now());
    loop {
        tokio::time::sleep(PERIOD).await;
        reporter.status(&status.line(tunnel.state().name(), tunnel.stats(), Instant::now()));
    }
}

/// How long connections may go on after the first signal.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

const UNCHECKED: &str = "THE SERVER'S KEY IS NOT CHECKED: whoever answers gets the password, and can read and change \
                         all that the tunnel carries";
