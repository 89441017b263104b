//! What is negotiated, and what may be demanded of a server.

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use underpass::{ErrorKind, Event, FingerprintHash, StrictKex, fingerprint};
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, script::Script};

use crate::support::{
    Bastion, Events, bare_builder, connect, echo, eventually, loopback, refused, to, within,
};

const MIB: u64 = 1024 * 1024;

/// The key exchanges so far.
fn exchanges(events: &Events) -> Vec<Event> {
    events.all().into_iter().filter(|event| matches!(event, Event::KeyExchange { .. })).collect()
}

#[tokio::test]
async fn what_a_tunnel_carries_is_compressed_when_asked_for() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    for (list, expected) in [(None, None), (Some("zlib@openssh.com,none"), Some("zlib@openssh.com"))] {
        let events = Events::default();
        let mut builder = bastion.builder().forward(to(target.address())).observer(events.observer());
        if let Some(list) = list {
            builder = builder.compression(list).rekey_bytes(256 * 1024);
        }
        let tunnel = builder.open().await.unwrap();
        within(echo(connect(&tunnel), Payload::new(1), MIB)).await.unwrap();
        let Event::KeyExchange { compression_out, compression_in, .. } = &exchanges(&events)[0] else {
            unreachable!()
        };
        assert_eq!((compression_out.as_deref(), compression_in.as_deref()), (expected, expected));
    }
}

#[tokio::test]
async fn each_direction_can_have_a_list_of_its_own() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let builder = bastion.builder().observer(events.observer());
    let builder = builder.ciphers("aes256-ctr").ciphers_in("aes128-ctr");
    let builder = builder.macs("hmac-sha2-256").macs_out("hmac-sha2-512").compression_in("zlib@openssh.com");
    let _tunnel = builder.open().await.unwrap();
    let Event::KeyExchange {
        cipher_out, cipher_in, mac_out, mac_in, compression_out, compression_in, ..
    } = &exchanges(&events)[0]
    else {
        unreachable!()
    };
    assert_eq!((cipher_out.as_str(), cipher_in.as_str()), ("aes256-ctr", "aes128-ctr"));
    assert_eq!((mac_out.as_deref(), mac_in.as_deref()), (Some("hmac-sha2-512"), Some("hmac-sha2-256")));
    assert_eq!((compression_out.as_deref(), compression_in.as_deref()), (None, Some("zlib@openssh.com")));
}

#[tokio::test]
async fn new_keys_are_agreed_on_when_the_program_asks() {
    let (bastion, target, events) =
        (Bastion::start().await, Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(to(target.address())).observer(events.observer());
    let tunnel = builder.open().await.unwrap();
    for count in 2..4 {
        tunnel.rekey();
        eventually("new keys", || exchanges(&events).len() == count).await;
        assert!(matches!(exchanges(&events)[count - 1], Event::KeyExchange { rekey: true, .. }));
    }
    within(echo(connect(&tunnel), Payload::new(1), MIB)).await.unwrap();
}

#[tokio::test]
async fn a_server_is_refused_that_is_not_as_strict_as_demanded() {
    // It does not offer the strict key exchange.
    let server = Script::SilentAfterKexInit.start().unwrap();
    let error = refused(bare_builder(server.address()).strict_kex(StrictKex::Required)).await;
    assert!(matches!(error.kind(), ErrorKind::PeerRejected { .. }), "{error}");
    assert!(error.to_string().contains("strict key exchange") && error.advice().is_some(), "{error}");
    // One that does is served.
    let (bastion, events) = (Bastion::start().await, Events::default());
    for (level, expected) in [(StrictKex::Required, true), (StrictKex::Disabled, false)] {
        let builder = bastion.builder().strict_kex(level).observer(events.observer());
        let _tunnel = builder.open().await.unwrap();
        assert!(
            matches!(exchanges(&events).pop(), Some(Event::KeyExchange { strict, .. }) if strict == expected)
        );
    }
}

#[tokio::test]
async fn a_server_is_refused_whose_identification_does_not_match() {
    let bastion = Bastion::start().await;
    let error = refused(bastion.builder().server_identification("*OpenSSH_*")).await;
    assert!(matches!(error.kind(), ErrorKind::PeerRejected { .. }), "{error}");
    assert!(error.to_string().contains("SSH-2.0-Underpass"), "{error}");
    let matching = bastion.builder().server_identification("*OpenSSH_*,SSH-2.0-Underpass_?.*");
    assert!(matching.open().await.is_ok());
}

#[tokio::test]
async fn this_side_says_it_is_what_the_settings_say() {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let builder =
        bare_builder(listener.local_addr().unwrap()).identification("SSH-2.0-Mine_1 of three words");
    let attempt = tokio::spawn(builder.open());
    let (client, _) = within(listener.accept()).await.unwrap();
    let line = within(BufReader::new(client).lines().next_line()).await.unwrap();
    assert_eq!(line.as_deref(), Some("SSH-2.0-Mine_1 of three words"));
    assert!(within(attempt).await.unwrap().is_err());
}

#[tokio::test]
async fn small_windows_and_packets_carry_everything() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let builder = bastion.builder().forward(to(target.address())).max_window(1024).max_packet(1024);
    let tunnel = builder.open().await.unwrap();
    within(echo(connect(&tunnel), Payload::new(1), 100_000)).await.unwrap();
}

#[tokio::test]
async fn fingerprints_are_shown_by_the_hash_that_is_set() {
    let bastion = Bastion::start().await;
    let key = bastion.gateway.host_keys().next().unwrap().to_vec();
    for hash in [FingerprintHash::Md5, FingerprintHash::Sha1, FingerprintHash::Sha256] {
        let events = Events::default();
        let builder = bastion.builder().fingerprint_hash(hash).observer(events.observer());
        let _tunnel = builder.open().await.unwrap();
        let shown = events.all().into_iter().find_map(|event| match event {
            Event::HostKey { fingerprint, .. } => Some(fingerprint),
            _ => None,
        });
        assert_eq!(shown, Some(fingerprint(&key, hash)));
    }
}
