//! Sockets that the system does not pace, whatever its congestion control: relays are what others are measured by.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// What the listener accepts takes after it.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    unpace(&SockRef::from(&listener));
    Ok(listener)
}

pub(crate) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    unpace(&SockRef::from(&socket));
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Every Linux has Reno; nothing is wrong without it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn unpace(socket: &SockRef<'_>) {
    let _ = socket.set_tcp_congestion(b"reno");
}

/// Other systems do not pace.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn unpace(_: &SockRef<'_>) {}
