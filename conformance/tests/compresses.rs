//! Compressed tunnels carry every byte, text as well as noise, while the streams begin anew with new keys.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::peer::asyncssh;
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, traffic};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

#[test]
fn after_the_login_with_sshd() -> Result<()> {
    carries_all(&PeerKind::Sshd.start()?, "zlib@openssh.com")
}

#[test]
fn after_the_login_with_dropbear() -> Result<()> {
    carries_all(&PeerKind::Dropbear.start()?, "zlib@openssh.com")
}

#[test]
fn after_the_login_with_asyncssh() -> Result<()> {
    carries_all(&PeerKind::Asyncssh.start()?, "zlib@openssh.com")
}

#[test]
fn from_the_first_keys_with_asyncssh() -> Result<()> {
    carries_all(&asyncssh::start(&json!({ "compression_algs": ["zlib"] }))?, "zlib")
}

fn carries_all(peer: &Peer, method: &str) -> Result<()> {
    let echo = Target::Echo.start()?;
    let client = Client::of(peer)?.option("Compression", "yes").option("RekeyLimit", "1M").verbosity(2);
    let session = client.forward(echo.address()).start()?;
    traffic::run_through(&session, peer, PATIENCE, async {
        traffic::echo(session.local(), Payload::new(1), 6 * MIB).await?;
        echo_text(session.local(), 6 * MIB).await?;
        // Both at once, in one stream of compressed packets.
        tokio::try_join!(
            traffic::echo(session.local(), Payload::new(2), 6 * MIB),
            echo_text(session.local(), 6 * MIB),
        )
        .map(drop)
    })?;
    assert!(session.key_exchanges() >= 8, "{} key exchanges", session.key_exchanges());
    for exchange in session.events().iter().filter(|event| event["event"] == "key-exchange") {
        for way in ["compression_out", "compression_in"] {
            assert_eq!(exchange[way], method, "{exchange}");
        }
    }
    Ok(())
}

/// Sends text of this length, and checks that it comes back.
async fn echo_text(address: SocketAddr, length: u64) -> Result<()> {
    let mut text = Vec::new();
    for number in 0.. {
        if text.len() as u64 >= length {
            break;
        }
        text.extend_from_slice(
            format!("line {number} of a log that says little more than its number\n").as_bytes(),
        );
    }
    let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
    let up = async {
        write.write_all(&text).await?;
        write.shutdown().await
    };
    let mut echoed = Vec::new();
    tokio::try_join!(up, read.read_to_end(&mut echoed))?;
    if echoed == text { Ok(()) } else { Err(Failure::new("the text came back changed")) }
}

const MIB: u64 = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(120);
