//! The address and port of this machine that the connection comes from.

use std::net::{Ipv4Addr, TcpListener};

use underpass_conformance::Result;

use crate::bed::{Bed, PATIENCE};

fn logs(bed: &Bed, words: &str) -> Result<()> {
    let process = bed.peer.process();
    process.wait_for(process.err(), PATIENCE, |log| log.contains(words).then_some(()))
}

#[test]
fn the_connection_comes_from_the_address_that_is_asked_for() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(bed.client()?.flags(&["-b", "127.0.0.2"]))?;
    logs(&bed, "Connection from 127.0.0.2 port")?;
    bed.carries(bed.client()?.option("BindAddress", "127.0.0.3"))?;
    logs(&bed, "Connection from 127.0.0.3 port")?;
    let message = bed.fails(bed.client()?.flags(&["-b", "192.0.2.1"]), "dial")?;
    assert!(message.contains("no such address"), "{message}");
    Ok(())
}

#[test]
fn the_connection_comes_from_the_port_that_is_asked_for() -> Result<()> {
    let bed = Bed::new()?;
    let free = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 4), 0))?.local_addr()?;
    let (address, port) = (free.ip().to_string(), free.port().to_string());
    let client = || {
        Ok::<_, underpass_conformance::Failure>(bed.client()?.flags(&["-b", &address, "--local-port", &port]))
    };
    bed.carries(client()?)?;
    logs(&bed, &format!("Connection from {address} port {port} "))
}

#[test]
fn only_addresses_of_the_wanted_family_are_used() -> Result<()> {
    let bed = Bed::new()?;
    bed.carries(bed.client()?.flags(&["-4"]).host("localhost"))?;
    // It listens on 127.0.0.1 only, whether this machine has another address for the name or not.
    bed.fails(bed.client()?.flags(&["-6"]).host("localhost"), "dial")?;
    bed.fails(bed.client()?.flags(&["-6"]), "dial").map(drop)
}
