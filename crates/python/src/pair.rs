//! Two ends of a connection of the loopback interface: one for the program, one for the tunnel.
//!
//! Pairs of Unix-domain sockets would need no port, but know no reset: a connection that was lost would look like one
//! that has ended.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

/// Makes a pair.
pub(crate) async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let ours = near.local_addr()?;
    for _ in 0..MAX_STRANGERS {
        let (far, peer) = listener.accept().await?;
        // Somebody else on this machine may have been faster.
        if peer == ours {
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            return Ok((near, far));
        }
    }
    Err(io::Error::other("others keep connecting to a port of the loopback interface"))
}

/// Nobody can know the port beforehand; so many can only be an attack.
const MAX_STRANGERS: usize = 100;
