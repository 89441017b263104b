//! Options of sockets, read off the sockets themselves.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{Setup, connect, place, until};

/// The TCP sockets of this process between the two, from the first one's side. The tunnel's are among them.
fn find(is_it: impl Fn(SocketAddr, SocketAddr) -> bool) -> Socket {
    let process = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let found = numbers.filter_map(|number| {
        let socket = Socket::from(pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?);
        let ends = (socket.local_addr().ok()?.as_socket()?, socket.peer_addr().ok()?.as_socket()?);
        is_it(ends.0, ends.1).then_some(socket)
    });
    found.last().unwrap()
}

/// The tunnel's end of a client's connection.
fn of_client(stream: &TcpStream) -> Socket {
    let ends = (stream.peer_addr().unwrap(), stream.local_addr().unwrap());
    find(|local, peer| (local, peer) == ends)
}

/// The tunnel's end of the connection to the server.
fn to_server(setup: &Setup) -> Socket {
    find(|_, peer| peer == setup.gateway.address())
}

fn started(settings: &[&str]) -> Setup {
    let setup = Setup::new();
    for setting in settings {
        setup.tunnel.config(setting).unwrap();
    }
    setup.tunnel.start_listening().unwrap();
    setup
}

#[test]
fn clients_that_come_later_are_probed() {
    let setup = started(&["KeepAliveTime=7000", "KeepAliveInterval=3000", "KeepAliveRetryCount=4"]);
    let (before, _) = setup.client();
    setup.tunnel.set_keep_alive(true).unwrap();
    let (after, _) = setup.client();
    assert!(!of_client(&before).keepalive().unwrap());
    let socket = of_client(&after);
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(3));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
}

#[test]
fn the_server_is_probed() {
    assert!(!to_server(&started(&["TCPKeepAlive=False"])).keepalive().unwrap());
    assert!(to_server(&started(&["TCPKeepAlive=True"])).keepalive().unwrap());
    // Each of the others turns it on.
    for setting in ["KeepAliveTime=7000", "KeepAliveInterval=7000", "KeepAliveRetryCount=7"] {
        let setup = started(&[setting]);
        assert_eq!(setup.tunnel.config("TCPKeepAlive").unwrap(), "True");
        let socket = to_server(&setup);
        assert!(socket.keepalive().unwrap());
        let number = match setting.split_once('=').unwrap().0 {
            "KeepAliveTime" => socket.tcp_keepalive_time().unwrap().as_secs(),
            "KeepAliveInterval" => socket.tcp_keepalive_interval().unwrap().as_secs(),
            _ => socket.tcp_keepalive_retries().unwrap().into(),
        };
        assert_eq!(number, 7, "{setting}");
    }
}

#[test]
fn small_pieces_are_sent_at_once_if_asked_for() {
    for on in [false, true] {
        let setup = started(&[&format!("TcpNoDelay={on}")]);
        let (stream, _) = setup.client();
        assert_eq!(of_client(&stream).tcp_nodelay().unwrap(), on);
        assert_eq!(to_server(&setup).tcp_nodelay().unwrap(), on);
    }
}

#[test]
fn buffers_have_the_sizes_that_are_set() {
    let setup = started(&["InBufferSize=20000", "OutBufferSize=30000"]);
    let (stream, _) = setup.client();
    for socket in [of_client(&stream), to_server(&setup)] {
        // Linux counts what it keeps beside the data, too: twice.
        assert_eq!(socket.recv_buffer_size().unwrap(), 40_000);
        assert_eq!(socket.send_buffer_size().unwrap(), 60_000);
    }
    let setup = started(&["InBufferSize=-5", "OutBufferSize=9999999999"]);
    setup.client();
}

#[test]
fn the_end_of_the_connection_to_the_server_lingers() {
    let linger = |settings: &[&str]| to_server(&started(settings)).linger().unwrap();
    assert_eq!(linger(&[]), None);
    assert_eq!(linger(&["LingerTime=7"]), Some(Duration::from_secs(7)));
    assert_eq!(linger(&["Linger=False", "LingerTime=7"]), Some(Duration::ZERO));
}

#[test]
fn so_many_clients_wait_to_be_accepted() {
    for backlog in [2, 6] {
        let setup = Setup::new();
        let port =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        setup.tunnel.set_local_port(port.into()).unwrap();
        setup.tunnel.set_connection_backlog(backlog).unwrap();
        let (counted, count) = std::sync::mpsc::channel();
        // The port is open when the server is asked, and nobody accepts before it has let us in.
        setup.tunnel.on_ssh_server_authentication(move |_, _| {
            let address = (Ipv4Addr::LOCALHOST, port).into();
            let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(700)).ok();
            let streams: Vec<_> = std::iter::from_fn(connect).take(20).collect();
            counted.send(streams).unwrap();
        });
        setup.tunnel.start_listening().unwrap();
        let streams = count.recv().unwrap();
        // Linux takes one more.
        assert_eq!(i64::try_from(streams.len()).unwrap(), backlog + 1);
        until(&setup.tunnel, || setup.tunnel.client_count() == backlog + 1);
    }
}

/// Somebody who listens and would share the port.
fn neighbour() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
    socket.listen(1).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

#[test]
fn a_port_is_shared_only_if_both_want_to() {
    for (exclusive, code) in [(true, Some(10048)), (false, None)] {
        let (_socket, port) = neighbour();
        let setup = Setup::new();
        setup.tunnel.config(&format!("BindExclusively={exclusive}")).unwrap();
        setup.tunnel.config(&format!("LocalPort={port}")).unwrap();
        let result = setup.tunnel.start_listening();
        assert_eq!(result.err().map(|error| error.code()), code, "{exclusive}");
    }
}

#[test]
fn one_address_is_listened_at() {
    let setup = Setup::new();
    setup.tunnel.set_local_host("127.0.0.2").unwrap();
    setup.tunnel.start_listening().unwrap();
    let port = u16::try_from(setup.tunnel.local_port()).unwrap();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    let stream = TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).unwrap();
    until(&setup.tunnel, || setup.tunnel.client_count() == 1);
    assert_eq!(setup.tunnel.client_local_address(place(&setup.tunnel, &stream)).unwrap(), "127.0.0.2");
}

#[test]
fn without_an_address_all_are_listened_at() {
    let setup = Setup::new();
    setup.tunnel.set_local_host("").unwrap();
    setup.tunnel.start_listening().unwrap();
    connect(&setup.tunnel);
    let port = u16::try_from(setup.tunnel.local_port()).unwrap();
    TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).unwrap();
}
