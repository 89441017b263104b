//! The packets of whole sessions, as they are told, against what RFCs 4252 to 4254 demand and servers of others do.

use std::sync::mpsc;
use std::time::Duration;

use underpass::{Event, PacketDirection, PacketTrace, Tunnel};
use underpass_conformance::account::{PASSWORD, USER};
use underpass_conformance::client::ClientKind;
use underpass_conformance::peer::sshd;
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

with_each_peer!(types_come_in_the_order_of_the_rfcs);

/// A packet: whether it was sent, and the number of its message.
type Packet = (bool, u8);

const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const SERVICE_REQUEST: u8 = 5;
const SERVICE_ACCEPT: u8 = 6;
const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_SUCCESS: u8 = 52;
const CHANNEL_OPEN: u8 = 90;
const CHANNEL_CLOSE: u8 = 97;

fn types_come_in_the_order_of_the_rfcs(kind: PeerKind) -> Result<()> {
    for compression in ["none", "zlib@openssh.com,zlib,none"] {
        let packets = packets_of_a_session(&kind.start()?, compression)?;
        let first = |sent: bool, number: u8| packets.iter().position(|packet| *packet == (sent, number));
        let at = |sent, number| first(sent, number).unwrap_or_else(|| panic!("{sent} {number}: {packets:?}"));
        for sent in [true, false] {
            let own: Vec<u8> =
                packets.iter().filter(|packet| packet.0 == sent).map(|packet| packet.1).collect();
            // RFC 4253 section 7.1, and section 7.3: both begin with KEXINIT; up to NEWKEYS there is only the key exchange.
            assert_eq!(own[0], KEXINIT, "{own:?}");
            let keys = own.iter().position(|number| *number == NEWKEYS).expect("there are keys");
            assert!(own[1..keys].iter().all(|number| (30..50).contains(number)), "{own:?}");
            assert!(keys > 1, "{own:?}");
        }
        // RFC 4253 section 10, RFC 4252 sections 5 and 5.1, RFC 4254 section 5: one layer after the other.
        let order = [
            at(true, NEWKEYS),
            at(true, SERVICE_REQUEST),
            at(false, SERVICE_ACCEPT),
            at(true, USERAUTH_REQUEST),
            at(false, USERAUTH_SUCCESS),
            at(true, CHANNEL_OPEN),
            at(true, CHANNEL_CLOSE),
        ];
        assert!(order.is_sorted(), "{order:?}: {packets:?}");
        for (place, (_, number)) in packets.iter().enumerate() {
            let is_logged_on = place > at(false, USERAUTH_SUCCESS);
            match number {
                50..80 => assert!(
                    place > at(false, SERVICE_ACCEPT) && !is_logged_on || place == order[4],
                    "{packets:?}"
                ),
                80..128 => assert!(is_logged_on, "{packets:?}"),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The packets of a session in which a password is given and data are carried.
fn packets_of_a_session(server: &Peer, compression: &str) -> Result<Vec<Packet>> {
    let (target, (tell, told)) = (Target::Echo.start()?, mpsc::channel());
    let builder = Tunnel::builder(format!("{USER}@{}", server.address()))
        .user_known_hosts([server.known_hosts()])
        .global_known_hosts(Vec::<String>::new())
        .default_identities(false)
        .compression(compression)
        .password(PASSWORD)
        .local_forward(format!("127.0.0.1:0:{}", target.address()))
        .packet_trace(PacketTrace::Packets)
        .observer(move |event| {
            if let Event::Packet { direction, number, message, .. } = event {
                assert!(message.is_some(), "{event}");
                // Until the end somebody listens.
                let _ = tell.send((*direction == PacketDirection::Sent, *number));
            }
        });
    traffic::run(PATIENCE, async {
        let tunnel = builder.open().await.map_err(|error| Failure::new(error.to_string()))?;
        let local = tunnel.local_address().expect("it listens");
        traffic::echo(local, Payload::new(3), 100_000).await?;
        tunnel.stop(PATIENCE).await;
        Ok(())
    })?;
    Ok(told.try_iter().collect())
}

#[test]
fn the_command_has_a_line_for_each_packet_and_bytes_where_they_are_wanted() -> Result<()> {
    let peer = sshd::start(&[])?;
    for (verbosity, arguments, has_packets, has_bytes) in [
        (1, &[][..], false, false),
        (3, &[], true, false),
        (3, &["--packet-trace", "off"], false, false),
        (0, &["--packet-trace", "bytes"], true, true),
    ] {
        let client = Client::of(&peer)?.no_identity().password(PASSWORD).own_arguments(arguments);
        if client.kind() != ClientKind::Underpass {
            return Ok(());
        }
        let session = client.verbosity(verbosity).forward(Target::Echo.start()?.address()).start()?;
        let outcome = session.stop(PATIENCE)?;
        let log = outcome.out + &outcome.err;
        let request = "\"type\":50,\"message\":\"SSH_MSG_USERAUTH_REQUEST\"";
        assert_eq!(log.contains(request), has_packets, "{log}");
        // Its name, which the request begins with.
        let name: Vec<String> = USER.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            log.contains(&format!("\"bytes\":\"32 00 00 00 {:02x} {}", USER.len(), name.join(" "))),
            has_bytes,
            "{log}"
        );
    }
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(30);
