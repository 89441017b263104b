//! SOCKS 4, 4a and 5, with the name looked up here or there.

use std::fs;

use underpass_conformance::proxy::{self, INSIDE};
use underpass_conformance::{PeerKind, Result};

use crate::bed::{Bed, PASSWORD, PATIENCE, USER, WRONG};

#[test]
fn a_socks5_proxy_connects_who_has_the_password() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks5(USER, PASSWORD)?;
    let address = proxy.address();
    bed.carries(bed.through(format_args!("socks5://{USER}:{PASSWORD}@{address}"))?)?;
    let wrong = bed.through(format_args!("socks5://{USER}:{WRONG}@{address}"))?;
    bed.fails_at(wrong, format_args!("socks5://{address}"), &["did not accept the user name"])?;
    let none = bed.through(format_args!("socks5://{address}"))?;
    bed.fails_at(none, format_args!("socks5://{address}"), &["wants a user name and a password"])
}

#[test]
fn a_password_may_have_every_character() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks5("p@t", "a:b/c?d#e%20 é")?;
    let credentials = "p%40t:a%3Ab%2Fc%3Fd%23e%2520%20%C3%A9";
    bed.carries(bed.through(format_args!("socks5h://{credentials}@{}", proxy.address()))?)
}

#[test]
fn credentials_that_nobody_wants_do_no_harm() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks(&[])?;
    bed.carries(bed.through(format_args!("socks5://{USER}:{PASSWORD}@{}", proxy.address()))?)?;
    bed.carries(bed.through(format_args!("socks4://{USER}@{}", proxy.address()))?)
}

#[test]
fn the_proxy_looks_the_name_up_with_socks5h() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks(&[])?;
    bed.carries(bed.through(format_args!("socks5h://{}", proxy.address()))?.host(INSIDE))
}

#[test]
fn names_are_passed_on_with_socks4a_and_socks5h_only() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::openssh(&bed.peer)?;
    for (scheme, logged) in [
        ("socks4", "socks4 host 127.0.0.1 "),
        ("socks5", "socks5 host 127.0.0.1 "),
        ("socks4a", "decode socks4a: host localhost/"),
        ("socks5h", "socks5 host localhost "),
    ] {
        bed.carries(bed.through(format_args!("{scheme}://{}", proxy.address()))?.host("localhost"))?;
        proxy.wait_for_log(logged, PATIENCE)?;
    }
    Ok(())
}

#[test]
fn this_machine_looks_the_name_up_with_socks4_and_socks5() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks(&[])?;
    for scheme in ["socks4", "socks5"] {
        let url = format!("{scheme}://{}", proxy.address());
        bed.carries(bed.through(&url)?.host("localhost"))?;
        let message = bed.fails(bed.through(&url)?.host(INSIDE), "resolve")?;
        assert!(message.contains(INSIDE), "{message}");
    }
    Ok(())
}

#[test]
fn a_socks_proxy_that_refuses_the_server_is_quoted() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks(&[bed.peer.address().port()])?;
    let refused = [("socks4", "rejected"), ("socks5", "rules forbid")];
    for (scheme, words) in refused {
        let url = format!("{scheme}://{}", proxy.address());
        bed.fails_at(bed.through(&url)?, &url, &[words])?;
    }
    Ok(())
}

#[test]
fn a_socks_proxy_that_does_not_reach_the_server_says_why() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::socks(&[])?;
    let url = format!("socks5h://{}", proxy.address());
    bed.fails_at(bed.through(&url)?.host("nowhere.invalid"), &url, &["did not connect"])?;
    let refusing = underpass_testkit::target::Refusing::start()?;
    let client = bed.through(&url)?.option("Port", refusing.address().port().to_string());
    bed.fails_at(client, &url, &["refused"])
}

#[test]
fn the_first_hop_goes_through_the_proxy_and_the_next_through_the_hop() -> Result<()> {
    let bed = Bed::new()?;
    let (proxy, inner) = (proxy::socks(&[bed.peer.address().port()])?, PeerKind::Sshd.start()?);
    let known_hosts =
        fs::read_to_string(bed.path("known_hosts"))? + &fs::read_to_string(inner.known_hosts())?;
    fs::write(bed.path("known_hosts"), known_hosts)?;
    let url = format!("socks5://{}", proxy.address());
    let hop = format!("{}@{}", underpass_conformance::account::USER, inner.address());
    // The proxy does not let anybody reach the server, but the hop does.
    bed.fails_at(bed.through(&url)?, &url, &[])?;
    bed.carries(bed.through(&url)?.flags(&["-J", &hop]))
}
