//! An SSH server inside a program that lets one user reach one target. Try it with `ssh -N -L`, or with Underpass.
//!
//! ```text
//! cargo run --example embedded_gateway -- 127.0.0.1:2222 localhost:5432
//! ```

use std::error::Error;
use std::sync::Arc;

use underpass::{Endpoint, Forward, gateway::Gateway};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, target] = arguments.as_slice() else {
        return Err("usage: embedded_gateway address:port target:port".into());
    };
    let forward = Forward::parse_local(&format!("0:{target}"))?;
    let allowed =
        forward.target().and_then(Endpoint::tcp).cloned().ok_or("the target is no host and port")?;
    let password = std::env::var("GATEWAY_PASSWORD").map_err(|_| "set GATEWAY_PASSWORD")?;

    // Without a host key of its own it makes one, for this run.
    let gateway = Gateway::builder()
        .allow_password("guest", password)
        .allow_targets(move |wanted| *wanted == allowed)
        .observer(Arc::new(|event| println!("{event}")))
        .start(address.parse()?)
        .await?;
    println!("listening on {}; the key is {}", gateway.address(), gateway.fingerprint());
    print!("a line for known_hosts: {}", gateway.known_hosts(&gateway.address().ip().to_string())?);
    std::future::pending().await
}
