//! The properties of clients.

use std::io::Write as _;
use std::net::TcpStream;

use underpass_component::{Event, EventKind};
use underpass_testkit::target::Target;

use crate::support::{Record, Setup, echo, place, read, read_to_end, until};

#[test]
fn clients_are_counted_and_described() {
    let setup = Setup::started();
    let tunnel = &setup.tunnel;
    assert_eq!(tunnel.client_count(), 0);
    let (first, first_id) = setup.client();
    let (second, second_id) = setup.client();
    assert!(first_id != second_id && tunnel.client_count() == 2);
    for (index, stream) in [(0, &first), (1, &second)] {
        let address = stream.local_addr().unwrap();
        assert_eq!(tunnel.client_remote_host(index).unwrap(), address.ip().to_string());
        assert_eq!(tunnel.client_remote_port(index).unwrap(), i64::from(address.port()));
        assert_eq!(tunnel.client_local_address(index).unwrap(), "127.0.0.1");
        assert!(tunnel.client_connected(index).unwrap() && tunnel.client_ready_to_send(index).unwrap());
    }
    drop(first);
    until(tunnel, || tunnel.client_count() == 1);
    assert_eq!(tunnel.client_connection_id(0).unwrap(), second_id.to_string());
    for result in [tunnel.client_connected(1).map(drop), tunnel.client_eol(-1).map(drop)] {
        assert_eq!(result.unwrap_err().code(), 126);
    }
}

#[test]
fn numbers_are_unique() {
    let setup = Setup::started();
    let (_stream, id) = setup.client();
    let uid = |id: i64| setup.tunnel.config(&format!("ConnectionUID[{id}]")).unwrap();
    assert!(uid(id) != "0" && uid(id + 1) == "0");
    assert!(setup.tunnel.config("ConnectionUID").is_err());
}

#[test]
fn a_client_is_disconnected() {
    let setup = Setup::started();
    let (stream, id) = setup.client();
    let record = Record::of(&setup.tunnel, &[EventKind::Disconnected]);
    setup.tunnel.disconnect(id).unwrap();
    assert!(read_to_end(&setup.tunnel, &stream).unwrap().is_empty());
    until(&setup.tunnel, || record.len() == 1);
    assert!(matches!(&record.take()[..], [Event::Disconnected(event)] if event.connection_id == id));
    assert_eq!(setup.tunnel.disconnect(id).unwrap_err().code(), 126);
    let (stream, _) = setup.client();
    setup.tunnel.set_client_connected(0, false).unwrap();
    assert!(read_to_end(&setup.tunnel, &stream).unwrap().is_empty());
}

#[test]
fn without_linger_a_client_is_reset() {
    let setup = Setup::new();
    setup.tunnel.set_linger(false).unwrap();
    setup.tunnel.start_listening().unwrap();
    let (stream, id) = setup.client();
    setup.tunnel.disconnect(id).unwrap();
    let error = read_to_end(&setup.tunnel, &stream).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn data_can_be_sent_to_a_client() {
    let setup = Setup::started();
    let (stream, _) = setup.client();
    setup.tunnel.set_client_data_to_send(0, "hello").unwrap();
    assert_eq!(read(&setup.tunnel, &stream, 5), b"hello");
    until(&setup.tunnel, || setup.tunnel.client_bytes_sent(0).unwrap() == 5);
    assert!(setup.tunnel.get_client("client_data_to_send", 0).is_err());
}

/// More than any buffer takes.
const MUCH: usize = 16 << 20;

#[test]
fn a_client_that_does_not_read_would_block() {
    let setup = Setup::started();
    let (stream, _) = setup.client();
    // What the system's buffers take makes room for more, until they are full as well.
    until(&setup.tunnel, || {
        let error = setup.tunnel.set_client_data_to_send(0, vec![1; MUCH]).unwrap_err();
        assert_eq!(error.code(), 10035);
        let taken = usize::try_from(setup.tunnel.client_bytes_sent(0).unwrap()).unwrap();
        assert!(taken < MUCH);
        !setup.tunnel.client_ready_to_send(0).unwrap()
    });
    let mut reader = stream.try_clone().unwrap();
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    until(&setup.tunnel, || setup.tunnel.client_ready_to_send(0).unwrap());
}

#[test]
fn a_timeout_makes_sending_wait() {
    let setup = Setup::new();
    setup.tunnel.set_default_timeout(1).unwrap();
    setup.tunnel.start_listening().unwrap();
    let (stream, _) = setup.client();
    assert_eq!(setup.tunnel.client_timeout(0).unwrap(), 1);
    let error = setup.tunnel.set_client_data_to_send(0, vec![1; MUCH]).unwrap_err();
    assert_eq!((error.code(), setup.tunnel.client_bytes_sent(0).unwrap()), (201, 0));
    drop(stream);
    let (stream, _) = setup.client();
    let last = place(&setup.tunnel, &stream);
    setup.tunnel.set_client_timeout(last, 60).unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; MUCH];
        std::io::Read::read_exact(&mut &stream, &mut bytes).map(|()| bytes)
    });
    setup.tunnel.set_client_data_to_send(last, vec![2; MUCH]).unwrap();
    until(&setup.tunnel, || reader.is_finished());
    assert!(reader.join().unwrap().unwrap().iter().all(|byte| *byte == 2));
}

#[test]
fn a_client_that_is_not_accepted_from_waits() {
    let setup = Setup::started();
    let (mut stream, _) = setup.client();
    setup.tunnel.set_client_accept_data(0, false).unwrap();
    stream.write_all(b"later").unwrap();
    // Another client's data go their way meanwhile.
    let (mut other, _) = setup.client();
    echo(&setup.tunnel, &mut other, b"now");
    stream.set_nonblocking(true).unwrap();
    let nothing = std::io::Read::read(&mut stream, &mut [0; 8]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    setup.tunnel.set_client_accept_data(0, true).unwrap();
    assert_eq!(read(&setup.tunnel, &stream, 5), b"later");
}

#[test]
fn an_idle_client_is_disconnected() {
    let setup = Setup::to(Target::BlackHole);
    setup.tunnel.start_listening().unwrap();
    let stream: TcpStream = setup.connect();
    until(&setup.tunnel, || setup.tunnel.client_count() == 1);
    setup.tunnel.set_client_idle_timeout(0, 1).unwrap();
    let _ = read_to_end(&setup.tunnel, &stream);
    until(&setup.tunnel, || setup.tunnel.client_count() == 0);
}

#[test]
fn what_the_program_keeps_with_a_client_stays() {
    let setup = Setup::started();
    let (_stream, _) = setup.client();
    setup.tunnel.set_client_user_data(0, b"a\0b".to_vec()).unwrap();
    assert_eq!(setup.tunnel.client_user_data(0).unwrap(), b"a\0b");
}
