//! Codes of errors that no other test comes by.

use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use underpass_component::{Event, EventKind, SshTunnel};
use underpass_testkit::server::Server;
use underpass_testkit::target::Target;

use crate::support::{Record, Setup, until};

#[test]
fn a_server_that_is_gone_is_told() {
    let setup = Setup::new();
    let gateway = setup.gateway.address();
    let between = Server::start(move |mut stream| async move {
        copy_bidirectional(&mut stream, &mut TcpStream::connect(gateway).await?).await.map(drop)
    });
    let between = between.unwrap();
    setup.tunnel.set_ssh_port(between.address().port().into()).unwrap();
    setup.tunnel.config("AutoReconnect=0").unwrap();
    setup.tunnel.start_listening().unwrap();
    let (_stream, id) = setup.client();
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    drop(between);
    until(&setup.tunnel, || record.len() == 2);
    for event in record.take() {
        let Event::Disconnected(event) = event else { panic!("{event:?}") };
        assert!([-1, id].contains(&event.connection_id));
        assert_eq!(event.status_code, 1001, "{}", event.description);
        assert!(event.description.starts_with("Server has disconnected."));
    }
    assert!(!setup.tunnel.listening() && !setup.tunnel.connected());
}

#[test]
fn one_attempt_to_connect_is_made_at_a_time() {
    let silent = Target::BlackHole.start().unwrap();
    let setup = Setup::new();
    setup.tunnel.set_ssh_port(silent.address().port().into()).unwrap();
    let other = setup.tunnel.clone();
    let connecting = thread::spawn(move || other.connect());
    while silent.accepted() == 0 {
        assert!(!connecting.is_finished());
        thread::sleep(Duration::from_millis(5));
    }
    for result in [setup.tunnel.connect(), setup.tunnel.start_listening()] {
        assert_eq!(result.unwrap_err().code(), 1105);
    }
    setup.tunnel.shutdown();
    assert_eq!(connecting.join().unwrap().unwrap_err().code(), 10053);
}

#[test]
fn an_address_of_another_machine_is_not_listened_at() {
    let setup = Setup::new();
    setup.tunnel.set_local_host("192.0.2.1").unwrap();
    assert_eq!(setup.tunnel.start_listening().unwrap_err().code(), 10049);
}

#[test]
fn a_name_that_nobody_has_is_told() {
    for name in ["local_host", "ssh_host"] {
        let setup = Setup::new();
        setup.tunnel.set(name, "no-such-host.invalid").unwrap();
        let error = setup.tunnel.start_listening().unwrap_err();
        assert!(error.code() == 11001 && error.message().contains("no-such-host.invalid"), "{error}");
    }
}

#[test]
fn a_client_that_resets_is_told() {
    let setup = Setup::started();
    let (stream, id) = setup.client();
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    until(&setup.tunnel, || record.len() == 1);
    assert!(matches!(&record.take()[..], [Event::Disconnected(event)]
        if event.connection_id == id && event.status_code == 10054));
}

#[test]
fn a_store_that_is_not_there_is_told() {
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_cert_store_type(2).unwrap();
    tunnel.set_ssh_cert_store("/no/such/file.pfx").unwrap();
    assert_eq!(tunnel.set_ssh_cert_subject("*").unwrap_err().code(), 302);
}
