//! TCP sockets before they connect or listen.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

/// A socket that is to connect to this address, or to listen at it.
pub(crate) fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    unpace(&SockRef::from(&socket), address);
    Ok(socket)
}

/// Listens at this address as the standard library would.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    unpace_loopback(&listener);
    TcpListener::from_std(listener)
}

/// Connects to the first address of a host that answers. A family that this machine has not is an address that does not.
pub(crate) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = None;
    for address in lookup_host((host, port)).await? {
        let attempt = async { socket(address)?.connect(address).await };
        match attempt.await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it has no address")))
}

/// Has the system not pace what a listener of the loopback interface accepts, as the tunnel's own listeners do: for
/// connections that are to be [adopted](crate::Tunnel::adopt).
///
/// Where the system's congestion control is one that paces, like BBR, its timers take half the throughput between two
/// programs of one machine. Between those nothing can be congested.
pub fn unpace_loopback(listener: &std::net::TcpListener) {
    if let Ok(address) = listener.local_addr() {
        unpace(&SockRef::from(listener), address);
    }
}

/// Pacing that has begun goes on, whatever is set later: this is for sockets without a connection. What a listener
/// accepts takes after it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn unpace(socket: &SockRef<'_>, address: SocketAddr) {
    if address.ip().to_canonical().is_loopback() {
        // Every Linux has Reno (RFC 5681), for every user. Not fatal: the connection is only slower without.
        let _ = socket.set_tcp_congestion(b"reno");
    }
}

/// Other systems do not pace.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn unpace(_: &SockRef<'_>, _: SocketAddr) {}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android"))]
mod tests {
    use super::*;

    fn algorithm(socket: &SockRef<'_>) -> String {
        let name = socket.tcp_congestion().unwrap();
        String::from_utf8(name).unwrap().trim_end_matches('\0').to_owned()
    }

    #[tokio::test]
    async fn connections_of_the_loopback_interface_are_not_paced() {
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let socket = socket(place.parse().unwrap()).unwrap();
            socket.bind(place.parse().unwrap()).unwrap();
            let listener = socket.listen(1).unwrap();
            let address = listener.local_addr().unwrap();
            let near = connect(&address.ip().to_string(), address.port()).await.unwrap();
            let (far, _) = listener.accept().await.unwrap();
            assert_eq!(algorithm(&SockRef::from(&near)), "reno");
            assert_eq!(algorithm(&SockRef::from(&far)), "reno");
        }
    }

    #[tokio::test]
    async fn what_leaves_the_machine_keeps_what_the_system_has() {
        let systems = algorithm(&SockRef::from(&TcpSocket::new_v4().unwrap()));
        let socket = socket("192.0.2.1:22".parse().unwrap()).unwrap();
        assert_eq!(algorithm(&SockRef::from(&socket)), systems);
    }

    #[test]
    fn a_listener_is_told_later() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        unpace_loopback(&listener);
        assert_eq!(algorithm(&SockRef::from(&listener)), "reno");
    }

    #[tokio::test]
    async fn a_host_that_does_not_answer_is_an_error() {
        let port = {
            let socket = socket("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.local_addr().unwrap().port()
        };
        let error = connect("127.0.0.1", port).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
