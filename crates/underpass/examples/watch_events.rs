//! Watches a tunnel: every event with its level, and once a second what was carried.
//!
//! ```text
//! cargo run --example watch_events -- me@bastion.example 8080:intranet:80
//! ```

use std::error::Error;
use std::time::Duration;

use tokio::sync::mpsc;
use underpass::Tunnel;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [destination, forward] = arguments.as_slice() else {
        return Err("usage: watch_events [user@]host[:port] [bind:]port:host:hostport".into());
    };

    // The observer runs on the tunnel's task: it only hands the events over.
    let (sender, mut events) = mpsc::unbounded_channel();
    let printing = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let event: underpass::Event = event;
            println!("{} {:18} {event}", event.level(), event.name());
        }
    });
    let opening = Tunnel::builder(destination).local_forward(forward).observer(move |event| {
        // Nobody is left to read when the program ends.
        let _ = sender.send(event.clone());
    });
    let tunnel = opening.open().await?;

    let mut before = tunnel.stats();
    let ended = loop {
        match tokio::time::timeout(Duration::from_secs(1), tunnel.closed()).await {
            Ok(ended) => break ended,
            Err(_) => {
                let stats = tunnel.stats();
                if stats != before {
                    println!("{stats:?}");
                }
                before = stats;
            }
        }
    };
    drop(tunnel);
    printing.await?;
    Ok(ended?)
}
