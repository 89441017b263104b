//! `-D`: clients of every proxy protocol reach what the server reaches, and hear why when they do not.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use underpass_conformance::account::PRIVATE_NAMES;
use underpass_conformance::client::Session;
use underpass_conformance::curl::{self, Fetch};
use underpass_conformance::{Client, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::target::{Refusing, Target};
use underpass_testkit::{Payload, Server};

with_each_peer!(
    every_protocol_fetches,
    the_server_looks_names_up,
    a_name_without_an_address_is_told,
    a_refused_target_is_told,
);

fn every_protocol_fetches(kind: PeerKind) -> Result<()> {
    let (peer, web) = (kind.start()?, web("127.0.0.1:0")?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    for protocol in PROTOCOLS {
        fetch(protocol, &session, web.address().to_string())?
            .brought(BODY, LENGTH)
            .map_err(|failure| failure.during(protocol.scheme))?;
    }
    assert_eq!(web.accepted(), PROTOCOLS.len() as u64);
    Ok(())
}

#[test]
fn an_ipv6_target_is_reached() -> Result<()> {
    let (peer, web) = (PeerKind::Sshd.start()?, web("[::1]:0")?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.names || protocol.scheme == "socks5") {
        // SOCKS 4a has no IPv6 addresses, but names that look like them.
        if protocol.scheme != "socks4a" {
            let target = SocketAddr::from((Ipv6Addr::LOCALHOST, web.address().port()));
            fetch(protocol, &session, target.to_string())?
                .brought(BODY, LENGTH)
                .map_err(|failure| failure.during(protocol.scheme))?;
        }
    }
    Ok(())
}

/// This machine does not know the name: only the peers have it, in a file of theirs.
fn the_server_looks_names_up(kind: PeerKind) -> Result<()> {
    let (peer, web) = (kind.start()?, web("127.0.0.1:0")?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.names) {
        fetch(protocol, &session, format!("{}:{}", PRIVATE_NAMES[0], web.address().port()))?
            .brought(BODY, LENGTH)
            .map_err(|failure| failure.during(protocol.scheme))?;
    }
    Ok(())
}

fn a_name_without_an_address_is_told(kind: PeerKind) -> Result<()> {
    let peer = kind.start()?;
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.names) {
        fetch(protocol, &session, "nowhere.invalid:80".into())?
            .failed_with(protocol.code, protocol.unresolvable)
            .map_err(|failure| failure.during(protocol.scheme))?;
    }
    let failed = session.wait_for_event_that("connection-failed", PATIENCE, |_| true)?;
    assert_eq!(failed["target"], "nowhere.invalid:80", "{failed}");
    Ok(())
}

fn a_refused_target_is_told(kind: PeerKind) -> Result<()> {
    let (peer, refusing) = (kind.start()?, Refusing::start()?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    for protocol in PROTOCOLS {
        // asyncssh only says that the call failed.
        let words = if kind == PeerKind::Asyncssh { protocol.failed } else { protocol.refused };
        fetch(protocol, &session, refusing.address().to_string())?
            .failed_with(protocol.code, words)
            .map_err(|failure| failure.during(protocol.scheme))?;
    }
    let failed = session.wait_for_event_that("connection-failed", PATIENCE, |_| true)?;
    assert_eq!(failed["target"], refusing.address().to_string(), "{failed}");
    Ok(())
}

#[test]
fn a_destination_that_is_not_allowed_is_told_without_asking_the_server() -> Result<()> {
    let (peer, allowed, other) =
        (PeerKind::Sshd.start()?, web("127.0.0.1:0")?, Target::Http(BODY, LENGTH).start()?);
    let list = allowed.address().to_string();
    let session = Client::of(&peer)?.forward_dynamically().flags(&["--allow-destinations", &list]).start()?;
    for protocol in PROTOCOLS {
        fetch(protocol, &session, list.clone())?.brought(BODY, LENGTH)?;
        fetch(protocol, &session, other.address().to_string())?
            .failed_with(protocol.code, protocol.not_allowed)
            .map_err(|failure| failure.during(protocol.scheme))?;
    }
    assert_eq!(other.accepted(), 0);
    Ok(())
}

#[test]
fn users_have_to_be_known() -> Result<()> {
    let (peer, web) = (PeerKind::Sshd.start()?, web("127.0.0.1:0")?);
    let scratch = tempfile::tempdir()?;
    let users = scratch.path().join("users");
    write_for_owner(&users, "ann:opal-41\nbob:with:colons\n")?;
    let session = Client::of(&peer)?
        .forward_dynamically()
        .flags(&["--proxy-users", &users.display().to_string()])
        .start()?;
    let fetch = |scheme: &str, user: &str| {
        let proxy = format!("{scheme}://{user}{}", session.local());
        let url = format!("http://{}/", web.address());
        curl::fetch(&["--proxytunnel", "--proxy", &proxy], &url, PATIENCE)
    };
    for (scheme, code, nobody, wrong) in [
        ("socks5h", 97, "No authentication method was acceptable", "rejected by the SOCKS5 server"),
        ("http", 56, "407", "407"),
    ] {
        for user in ["ann:opal-41@", "bob:with%3Acolons@"] {
            fetch(scheme, user)?.brought(BODY, LENGTH)?;
        }
        for user in ["ann:opal-42@", "eve:opal-41@", "ann:@"] {
            fetch(scheme, user)?.failed_with(code, wrong)?;
        }
        fetch(scheme, "")?.failed_with(code, nobody)?;
    }
    // SOCKS 4 has no passwords.
    fetch("socks4a", "ann@")?.failed_with(97, "request rejected or failed")?;
    Ok(())
}

#[test]
fn many_clients_fetch_at_once() -> Result<()> {
    let (peer, echo) = (PeerKind::Sshd.start()?, Target::Echo.start()?);
    let session = Client::of(&peer)?.forward_dynamically().start()?;
    let (proxy, target) = (session.local(), echo.address());
    traffic::run_through(&session, &peer, PATIENCE, async {
        traffic::in_parallel(200, |number| async move {
            let stream = traffic::through_socks5(proxy, target).await?;
            traffic::echo_on(stream, Payload::new(number), 100_000).await
        })
        .await
    })
}

fn web(address: &str) -> Result<Server> {
    Ok(Target::Http(BODY, LENGTH).listen(address.parse()?)?)
}

fn fetch(protocol: &Protocol, session: &Session, target: String) -> Result<Fetch> {
    let proxy = format!("{}://{}", protocol.scheme, session.local());
    curl::fetch(&["--proxytunnel", "--proxy", &proxy], &format!("http://{target}/"), PATIENCE)
}

fn write_for_owner(file: &std::path::Path, content: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, content)?;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?)
}

/// A proxy protocol as curl speaks it, and what curl says of its refusals.
struct Protocol {
    scheme: &'static str,
    /// Whether the proxy gets names.
    names: bool,
    code: i32,
    refused: &'static str,
    unresolvable: &'static str,
    not_allowed: &'static str,
    failed: &'static str,
}

const PROTOCOLS: &[Protocol] = &[
    socks4("socks4", false),
    socks4("socks4a", true),
    socks5("socks5", false),
    socks5("socks5h", true),
    Protocol {
        scheme: "http",
        names: true,
        code: 56,
        refused: "502",
        unresolvable: "502",
        not_allowed: "403",
        failed: "502",
    },
];

/// It has one code for all.
const fn socks4(scheme: &'static str, names: bool) -> Protocol {
    let rejected = "(91), request rejected or failed";
    Protocol {
        scheme,
        names,
        code: 97,
        refused: rejected,
        unresolvable: rejected,
        not_allowed: rejected,
        failed: rejected,
    }
}

/// In brackets is the reply of RFC 1928, section 6.
const fn socks5(scheme: &'static str, names: bool) -> Protocol {
    Protocol {
        scheme,
        names,
        code: 97,
        refused: "(5)",
        unresolvable: "(4)",
        not_allowed: "(2)",
        failed: "(1)",
    }
}

const BODY: Payload = Payload::new(41);

/// Some packets, and not a multiple of anything.
const LENGTH: u64 = 300_007;

const PATIENCE: Duration = Duration::from_secs(30);
