//! Connecting, listening, and the end of both.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use underpass_component::{Event, EventKind, SshTunnel};

use crate::support::{
    PASSWORD, Record, Setup, connect, echo, gateway, nobody, read_to_end, tunnel_through, until,
};

#[test]
fn a_fixed_forward_carries() {
    let setup = Setup::started();
    assert!(setup.tunnel.listening() && setup.tunnel.connected() && setup.tunnel.local_port() > 0);
    let mut stream = setup.connect();
    echo(&setup.tunnel, &mut stream, &[7; 100_000]);
}

#[test]
fn without_a_target_clients_say_where_they_go() {
    let setup = Setup::new();
    setup.tunnel.set_ssh_forward_host("").unwrap();
    setup.tunnel.config("SSHAcceptAnyServerHostKey=true").unwrap();
    let tunnel = tunnel_through(&setup.gateway);
    tunnel.start_listening().unwrap();
    let mut stream = connect(&tunnel);
    let target = setup.target.address();
    let mut request = vec![4, 1];
    request.extend(target.port().to_be_bytes());
    request.extend(Ipv4Addr::LOCALHOST.octets());
    request.push(0);
    std::io::Write::write_all(&mut stream, &request).unwrap();
    assert_eq!(crate::support::read(&tunnel, &stream, 8)[1], 90);
    echo(&tunnel, &mut stream, b"through SOCKS 4");
}

#[test]
fn half_a_target_is_refused() {
    let setup = Setup::new();
    setup.tunnel.set_ssh_forward_host("").unwrap();
    assert_eq!(setup.tunnel.start_listening().unwrap_err().code(), 10022);
    let tunnel = tunnel_through(&setup.gateway);
    tunnel.set_ssh_forward_host("db").unwrap();
    assert_eq!(tunnel.start_listening().unwrap_err().code(), 116);
}

#[test]
fn what_is_missing_is_said() {
    let tunnel = SshTunnel::new();
    let error = tunnel.start_listening().unwrap_err();
    assert!(error.code() == 10022 && error.message().contains("ssh_host"), "{error}");
    tunnel.set_ssh_host("127.0.0.1").unwrap();
    let error = tunnel.start_listening().unwrap_err();
    assert!(error.code() == 10022 && error.message().contains("ssh_user"), "{error}");
    tunnel.set_ssh_host("0.0.0.0").unwrap();
    assert_eq!(tunnel.start_listening().unwrap_err().code(), 102);
}

#[test]
fn connecting_does_not_log_on_and_listening_does() {
    let setup = Setup::new();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected]);
    setup.tunnel.set_ssh_password("wrong").unwrap();
    setup.tunnel.connect().unwrap();
    assert!(setup.tunnel.connected() && !setup.tunnel.listening());
    assert_eq!(setup.tunnel.connect().unwrap_err().code(), 104);
    setup.tunnel.set_ssh_password(PASSWORD).unwrap();
    until(&setup.tunnel, || record.len() == 1);
    let expected = matches!(&record.take()[..], [Event::Connected(event)]
        if event.connection_id == -1 && event.status_code == 0 && event.description == "OK");
    assert!(expected);
}

#[test]
fn a_wrong_password_is_told_and_leaves_nothing() {
    let setup = Setup::new();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected]);
    setup.tunnel.set_ssh_password("wrong").unwrap();
    let error = setup.tunnel.start_listening().unwrap_err();
    assert_eq!(error.code(), 1032);
    assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
    until(&setup.tunnel, || record.len() == 1);
    assert!(matches!(&record.take()[..], [Event::Connected(event)] if event.status_code == 1032));
    setup.tunnel.set_ssh_password(PASSWORD).unwrap();
    setup.tunnel.start_listening().unwrap();
}

#[test]
fn nobody_at_the_address_is_told() {
    let tunnel = SshTunnel::new();
    let (_refusing, address) = nobody();
    tunnel.set_ssh_host(address.ip().to_string()).unwrap();
    tunnel.set_ssh_port(address.port().into()).unwrap();
    tunnel.set_ssh_user("me").unwrap();
    assert_eq!(tunnel.connect().unwrap_err().code(), 10061);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let setup = Setup::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    setup.tunnel.set_local_port(taken.local_addr().unwrap().port().into()).unwrap();
    assert_eq!(setup.tunnel.start_listening().unwrap_err().code(), 10048);
}

#[test]
fn listening_twice_is_refused() {
    let setup = Setup::started();
    let error = setup.tunnel.start_listening().unwrap_err();
    assert_eq!((error.code(), error.message()), (104, "TCPServer is already listening."));
}

#[test]
fn members_that_the_connection_depends_on_may_not_change() {
    let setup = Setup::started();
    let tunnel = &setup.tunnel;
    for (result, code) in [
        (tunnel.set_ssh_host("x"), 101),
        (tunnel.set_ssh_port(1), 100),
        (tunnel.set_ssh_forward_host("x"), 101),
        (tunnel.set_ssh_forward_port(1), 100),
        (tunnel.set_local_port(1), 106),
        (tunnel.set_local_host("x"), 107),
        (tunnel.config("MaxConnections=1").map(drop), 108),
        (tunnel.config("MaxLineLength=1000").map(drop), 112),
        (tunnel.config("UseIOCP=True").map(drop), 213),
    ] {
        assert_eq!(result.unwrap_err().code(), code);
    }
}

#[test]
fn listening_no_more_leaves_clients_and_can_begin_again() {
    let setup = Setup::started();
    let (mut stream, _) = setup.client();
    let port = setup.tunnel.local_port();
    setup.tunnel.stop_listening();
    assert!(!setup.tunnel.listening() && setup.tunnel.connected());
    echo(&setup.tunnel, &mut stream, b"still there");
    until(&setup.tunnel, || TcpStream::connect((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap())).is_err());
    setup.tunnel.set_listening(true).unwrap();
    setup.client();
}

#[test]
fn shutting_down_ends_clients_and_the_connection() {
    let setup = Setup::started();
    let (stream, id) = setup.client();
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    setup.tunnel.shutdown();
    assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
    let _ = read_to_end(&setup.tunnel, &stream);
    until(&setup.tunnel, || record.len() == 2);
    let ids: Vec<_> = record
        .take()
        .into_iter()
        .map(|event| match event {
            Event::Disconnected(event) => (event.connection_id, event.status_code),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids.contains(&(id, 0)) && ids.contains(&(-1, 0)), "{ids:?}");
    assert_eq!(setup.tunnel.client_count(), 0);
    // It can begin again.
    setup.tunnel.start_listening().unwrap();
    setup.client();
}

#[test]
fn resetting_gives_every_member_its_default() {
    let setup = Setup::started();
    setup.tunnel.config("LogLevel=3").unwrap();
    setup.tunnel.reset();
    assert_eq!((setup.tunnel.ssh_port(), setup.tunnel.ssh_host()), (22, String::new()));
    assert_eq!(setup.tunnel.config("LogLevel").unwrap(), "1");
    assert!(!setup.tunnel.connected());
}

#[test]
fn assigning_connected_and_listening_acts() {
    let setup = Setup::new();
    setup.tunnel.set_connected(true).unwrap();
    assert!(setup.tunnel.connected());
    setup.tunnel.set_connected(true).unwrap();
    setup.tunnel.set_listening(true).unwrap();
    assert!(setup.tunnel.listening());
    setup.tunnel.set_listening(false).unwrap();
    setup.tunnel.set_connected(false).unwrap();
    assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
}

/// Whoever waits for an answer, or for a client to say where it goes, does not keep a tunnel.
#[test]
fn a_tunnel_that_is_asked_something_ends_as_well() {
    let setup = Setup::new();
    let tunnel = tunnel_through(&setup.gateway);
    tunnel.start_listening().unwrap();
    let silent = connect(&tunnel);
    until(&tunnel, || tunnel.client_count() == 1);
    let (asked, asking) = std::sync::mpsc::channel();
    tunnel.on_connection_request(|_, _| {});
    let waiting = connect(&tunnel);
    tunnel.on_ssh_status(move |_, _| asked.send(()).unwrap());
    drop(tunnel);
    // The handlers are gone with it.
    assert!(
        asking
            .recv_timeout(crate::support::DEADLINE)
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    );
    for mut stream in [silent, waiting] {
        let _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    }
}

#[test]
fn a_tunnel_without_handles_ends() {
    let gateway = gateway();
    let tunnel = tunnel_through(&gateway);
    tunnel.start_listening().unwrap();
    let port = u16::try_from(tunnel.local_port()).unwrap();
    drop(tunnel);
    let late = std::time::Instant::now() + crate::support::DEADLINE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        assert!(std::time::Instant::now() < late);
    }
}
