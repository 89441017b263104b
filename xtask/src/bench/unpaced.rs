//! Sockets of the load: where the system paces what is sent, as BBR does, the load is not to be what is measured.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

pub(super) fn connect(address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_tcp_congestion(UNPACED)?;
    socket.connect_timeout(&address.into(), timeout)?;
    Ok(socket.into())
}

/// What it accepts takes after it.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    SockRef::from(&listener).set_tcp_congestion(UNPACED)?;
    Ok(listener)
}

/// What sockets have that choose nothing.
pub(super) fn congestion_control() -> io::Result<String> {
    let name = Socket::new(Domain::IPV4, Type::STREAM, None)?.tcp_congestion()?;
    Ok(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned())
}

const UNPACED: &[u8] = b"reno";
