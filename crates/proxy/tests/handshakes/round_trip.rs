//! Our client through our proxy: what was asked for arrives, however the bytes are split.

use proptest::prelude::*;
use underpass_proxy::{
    Acceptor, AcceptorProgress, Access, Connector, ConnectorProgress, Credentials, Host, Outcome, Protocol,
    ProxyError, ProxyKind, ProxyUrl, Request, Target,
};

proptest! {
    #[test]
    fn what_was_asked_for_arrives(
        (kind, host) in kind_and_host(),
        port in 1..=u16::MAX,
        account in proptest::option::of(account()),
        portions in proptest::collection::vec(1..40_usize, 1..20),
    ) {
        // SOCKS 4 has no passwords, so its user is only claimed.
        let is_socks4 = matches!(kind, ProxyKind::Socks4 | ProxyKind::Socks4a);
        let access = account.clone().filter(|_| !is_socks4).map_or(Access::Anyone, |account| {
            Access::Accounts([account].into())
        });
        let target = Target::new(host, port);
        let (request, result) = meet(&proxy(kind, account.clone()), &target, access, Outcome::Connected, &portions);

        let request = request.unwrap();
        prop_assert_eq!(&request.target, &target);
        prop_assert_eq!(request.user.as_deref(), account.as_ref().map(Credentials::user));
        prop_assert_eq!(request.protocol, protocol(kind, &target));
        prop_assert_eq!(result, Ok((b"to the target".to_vec(), b"from the target".to_vec())));
    }

    #[test]
    fn a_no_is_understood_as_one(
        (kind, host) in kind_and_host(),
        outcome in proptest::sample::select(Outcome::ALL),
        portions in proptest::collection::vec(1..40_usize, 1..20),
    ) {
        let target = Target::new(host, 22);
        let (_, result) = meet(&proxy(kind, None), &target, Access::Anyone, outcome, &portions);
        match outcome {
            Outcome::Connected => prop_assert!(result.is_ok()),
            _ => prop_assert!(matches!(result, Err(ProxyError::Refused { .. })), "{:?}", result),
        }
    }

    #[test]
    fn wrong_credentials_are_understood_as_such(
        kind in proptest::sample::select(&[ProxyKind::Http, ProxyKind::Socks5][..]),
        (right, wrong) in (account(), account()).prop_filter("they differ", |(right, wrong)| right != wrong),
        portions in proptest::collection::vec(1..40_usize, 1..20),
    ) {
        let access = Access::Accounts([right].into());
        let target = "192.0.2.1:22".parse().unwrap();
        for (account, expected) in [
            (Some(wrong), ProxyError::RejectedCredentials { offered: Vec::new() }),
            (None, ProxyError::WantsCredentials { offered: Vec::new() }),
        ] {
            let (request, result) = meet(&proxy(kind, account), &target, access.clone(), Outcome::Connected, &portions);
            prop_assert_eq!(request, None);
            let same = std::mem::discriminant(&result.unwrap_err()) == std::mem::discriminant(&expected);
            prop_assert!(same);
        }
    }
}

fn protocol(kind: ProxyKind, target: &Target) -> Protocol {
    match kind {
        ProxyKind::Http | ProxyKind::Https => Protocol::HttpConnect,
        ProxyKind::Socks5 | ProxyKind::Socks5h => Protocol::Socks5,
        ProxyKind::Socks4 | ProxyKind::Socks4a => match target.host {
            Host::Ip(_) => Protocol::Socks4,
            Host::Name(_) => Protocol::Socks4a,
        },
    }
}

fn proxy(kind: ProxyKind, credentials: Option<Credentials>) -> ProxyUrl {
    ProxyUrl { kind, host: Host::Name("proxy".to_owned()), port: 1080, credentials }
}

fn account() -> impl Strategy<Value = Credentials> {
    ("[^:\\p{Cc}]{1,60}", "[^\\p{Cc}]{0,60}")
        .prop_map(|(user, password)| Credentials::new(user, password).unwrap())
}

/// Kinds of proxy with hosts that they can carry.
fn kind_and_host() -> impl Strategy<Value = (ProxyKind, Host)> {
    let v4 = (256..=u32::MAX).prop_map(|bits| Host::Ip(std::net::Ipv4Addr::from_bits(bits).into()));
    let v6 = any::<u128>().prop_map(|bits| Host::Ip(std::net::Ipv6Addr::from_bits(bits).into()));
    let name = "[a-z][a-z0-9._-]{0,254}".prop_map(Host::Name);
    let without_v6 = [ProxyKind::Socks4a, ProxyKind::Http];
    let without_names = [ProxyKind::Socks4, ProxyKind::Socks4a, ProxyKind::Socks5, ProxyKind::Https];
    let everything = [ProxyKind::Socks5, ProxyKind::Socks5h, ProxyKind::Http, ProxyKind::Https];
    prop_oneof![
        (proptest::sample::select(without_names.to_vec()), v4),
        (proptest::sample::select(without_v6.to_vec()), name.clone()),
        (proptest::sample::select(everything.to_vec()), prop_oneof![name, v6]),
    ]
}

type Tunnel = Result<(Vec<u8>, Vec<u8>), ProxyError>;

/// Lets the two talk until one is done, both ways in `portions` that repeat; then something is said each way,
/// glued to the handshake. Gives the request, and what came out at the target's and at the client's end.
fn meet(
    proxy: &ProxyUrl,
    target: &Target,
    access: Access,
    outcome: Outcome,
    portions: &[usize],
) -> (Option<Request>, Tunnel) {
    let mut client = Connector::new(proxy, target).unwrap();
    let mut server = Acceptor::new(access);
    let mut portions = portions.iter().copied().cycle();
    let request = loop {
        let mut bytes = client.transmit().to_vec();
        client.transmitted(bytes.len());
        let mut progress = Ok(AcceptorProgress::More);
        while !bytes.is_empty() && progress == Ok(AcceptorProgress::More) {
            let portion: Vec<u8> = bytes.drain(..portions.next().unwrap().min(bytes.len())).collect();
            progress = server.receive(&portion);
        }
        let reply = server.transmit().to_vec();
        server.transmitted(reply.len());
        match progress {
            Ok(AcceptorProgress::Asked(request)) => break request,
            Ok(AcceptorProgress::More) => assert!(!reply.is_empty(), "both wait for the other"),
            Err(_) => assert!(!reply.is_empty(), "the client is left alone"),
        }
        if let Err(error) = feed(&mut client, &reply, &mut portions) {
            return (None, Err(error));
        }
    };
    let at_target = [server.take_early(), b"to the target".to_vec()].concat();
    let answer = [server.answer(outcome), b"from the target".to_vec()].concat();
    let at_client = feed(&mut client, &answer, &mut portions);
    (Some(request), at_client.map(|at_client| (at_target, at_client)))
}

/// What is left when the connection stands.
fn feed(
    client: &mut Connector,
    mut bytes: &[u8],
    portions: &mut impl Iterator<Item = usize>,
) -> Result<Vec<u8>, ProxyError> {
    while !bytes.is_empty() {
        let (portion, rest) = bytes.split_at(portions.next().unwrap().min(bytes.len()));
        bytes = rest;
        if client.receive(portion)? == ConnectorProgress::Connected {
            return Ok([client.take_early(), bytes.to_vec()].concat());
        }
    }
    Ok(Vec::new())
}
