//! Opens a tunnel to a database and keeps it for as long as it is wanted.
//!
//! ```text
//! cargo run --example database -- me@bastion.example db.internal:5432
//! ```

use std::error::Error;
use std::time::Duration;

use underpass::{Event, Tunnel};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [destination, target] = arguments.as_slice() else {
        return Err("usage: database [user@]host[:port] target:port".into());
    };

    // Keys, known hosts and user are those that ssh would use. A target that cannot be reached does not end the tunnel:
    // it is told as an event.
    let opening = Tunnel::builder(destination).local_forward(format!("0:{target}")).observer(|event| {
        if let Event::ConnectionFailed { error, .. } = event {
            eprintln!("{error}");
        }
    });
    let tunnel = match opening.open().await {
        Ok(tunnel) => tunnel,
        Err(error) => {
            let advice = error.advice().unwrap_or_default().into_owned();
            return Err(format!("{error}\n{advice}").into());
        }
    };

    // This is the address to give to the database's client.
    let (_, address) = &tunnel.listeners()[0];
    println!("{target} is at {address} until you press Ctrl-C");
    tokio::select! {
        ended = tunnel.closed() => ended?,
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            // Whatever the client is doing may come to its end.
            tunnel.stop(Duration::from_secs(10)).await;
        }
    }
    println!("{:?}", tunnel.stats());
    Ok(())
}
