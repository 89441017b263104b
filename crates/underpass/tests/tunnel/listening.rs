//! Where a tunnel listens.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use underpass::{ErrorKind, Forward, Step};
use underpass_testkit::{Payload, target::Target};

use crate::support::{Bastion, Events, connect_to, echo, loopback, refused, to, within};

#[tokio::test]
async fn a_port_in_use_is_refused_and_its_holder_named() {
    let (bastion, taken) = (Bastion::start().await, TcpListener::bind(loopback()).unwrap());
    let address = taken.local_addr().unwrap();
    let error = refused(bastion.builder().forward(Forward::local(address, ("db", 5432)))).await;
    let ErrorKind::Bind { address: tried, holder, .. } = error.kind() else { panic!("{error:?}") };
    assert_eq!((*tried, error.step()), (address, Step::Listen));
    let process = format!("(process {})", std::process::id());
    assert!(holder.as_ref().unwrap().ends_with(&process), "{error}");
    assert!(error.advice().unwrap().contains(&process));
    assert_eq!(bastion.gateway.stats().total, 0);
}

#[tokio::test]
async fn a_port_in_use_can_be_a_warning_when_there_are_others() {
    let (bastion, taken) = (Bastion::start().await, TcpListener::bind(loopback()).unwrap());
    let (target, events) = (Target::Echo.start().unwrap(), Events::default());
    let builder = bastion.builder().forward(Forward::local(taken.local_addr().unwrap(), ("db", 5432)));
    let builder = builder.forward(to(target.address())).exit_on_forward_failure(false);
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    assert_eq!(tunnel.listeners().len(), 1);
    assert_eq!(events.count("warning"), 1);
    let stream = connect_to(tunnel.listeners()[0].1);
    within(echo(stream, Payload::new(1), 10)).await.unwrap();
}

#[tokio::test]
async fn port_zero_is_one_port_on_both_loopback_addresses() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().forward(Forward::local(0, target.address())).open().await.unwrap();
    let addresses: Vec<SocketAddr> = tunnel.listeners().iter().map(|(_, address)| *address).collect();
    let port = addresses[0].port();
    let mut expected = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    // A machine need not have IPv6.
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        expected.push((Ipv6Addr::LOCALHOST, port).into());
    }
    assert_eq!(addresses, expected);
    for address in addresses {
        let stream = connect_to(address);
        within(echo(stream, Payload::new(1), 10)).await.unwrap();
    }
}

#[tokio::test]
async fn the_address_of_every_forward_is_known_and_told() {
    let (bastion, events) = (Bastion::start().await, Events::default());
    let forwards = [Forward::local(loopback(), ("db", 5432)), Forward::local(loopback(), ("cache", 6379))];
    let builder =
        forwards.iter().fold(bastion.builder(), |builder, forward| builder.forward(forward.clone()));
    let tunnel = builder.observer(events.observer()).open().await.unwrap();
    let listeners = tunnel.listeners();
    assert_eq!(listeners.iter().map(|(forward, _)| forward.clone()).collect::<Vec<_>>(), forwards);
    assert!(listeners.iter().all(|(_, address)| address.port() != 0));
    let told =
        events.all().iter().map(ToString::to_string).filter(|text| text.starts_with("listening")).count();
    assert_eq!(told, 2);
}

#[tokio::test]
async fn a_tunnel_that_does_not_open_listens_nowhere() {
    let bastion = Bastion::start().await;
    let free = TcpListener::bind(loopback()).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    refused(bastion.builder().forward(Forward::local(address, ("db", 1))).password("wrong")).await;
    TcpListener::bind(address).unwrap();
}
