//! A program that writes the messages of the login itself.

use std::time::Duration;

use underpass::{Secret, ServerPacket, Tunnel};
use underpass_conformance::account::{PASSWORD, USER};
use underpass_conformance::{Failure, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

with_each_peer!(with_a_password);

fn with_a_password(kind: PeerKind) -> Result<()> {
    let (server, target) = (kind.start()?, Target::Echo.start()?);
    let builder = Tunnel::builder(format!("{USER}@{}", server.address()))
        .user_known_hosts([server.known_hosts()])
        .global_known_hosts(Vec::<String>::new())
        .local_forward(format!("127.0.0.1:0:{}", target.address()))
        .custom_authentication(password);
    traffic::run(Duration::from_secs(30), async {
        let tunnel = builder.open().await.map_err(|error| Failure::new(error.to_string()))?;
        let local = tunnel.local_address().expect("it listens");
        traffic::echo(local, Payload::new(3), 100_000).await
    })
}

/// Asks for the service's answer only, so a refusal gives up.
fn password(packet: ServerPacket<'_>) -> Option<Secret> {
    const SERVICE_ACCEPT: u8 = 6;
    if packet.payload.first() != Some(&SERVICE_ACCEPT) {
        return None;
    }
    let mut request = vec![50];
    let mut field = |bytes: &[u8]| {
        request.extend((bytes.len() as u32).to_be_bytes());
        request.extend(bytes);
    };
    [USER, "ssh-connection", "password"].into_iter().for_each(|text| field(text.as_bytes()));
    // It is no change of the password.
    request.push(0);
    request.extend((PASSWORD.len() as u32).to_be_bytes());
    request.extend(PASSWORD.as_bytes());
    Some(Secret::new(request))
}
