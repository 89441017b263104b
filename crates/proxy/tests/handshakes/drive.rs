//! Feeds a handshake in portions, and tells what became of it.

use underpass_proxy::{
    Acceptor, AcceptorProgress, Access, Connector, ConnectorProgress, Credentials, ProxyError, Refused,
    Request,
};

/// What came of some bytes, however they were split.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict<T, E> {
    /// `None` where more is waited for.
    pub(crate) result: Option<Result<T, E>>,
    /// Everything that was said.
    pub(crate) told: Vec<u8>,
    /// What was left for the tunnel, whether it was read or not.
    pub(crate) early: Vec<u8>,
}

/// `ann` with the password `one`, `bob` with `two`.
pub(crate) fn accounts() -> Access {
    let account = |user, password| Credentials::new(user, password).unwrap();
    Access::Accounts([account("ann", "one"), account("bob", "two")].into())
}

pub(crate) fn accept<'a>(
    access: Access,
    portions: impl IntoIterator<Item = &'a [u8]>,
) -> Verdict<Request, Refused> {
    let mut acceptor = Acceptor::new(access);
    let mut told = Vec::new();
    let mut portions = portions.into_iter();
    for portion in portions.by_ref() {
        let progress = acceptor.receive(portion);
        told.extend(acceptor.transmit());
        acceptor.transmitted(acceptor.transmit().len());
        let result = match progress {
            Ok(AcceptorProgress::More) => continue,
            Ok(AcceptorProgress::Asked(request)) => Ok(request),
            Err(refused) => {
                assert_eq!(acceptor.receive(b"again"), Err(refused.clone()), "errors are final");
                Err(refused)
            }
        };
        let rest = if result.is_ok() { portions.flatten().copied().collect() } else { Vec::new() };
        let early = [acceptor.take_early(), rest].concat();
        return Verdict { result: Some(result), told, early };
    }
    Verdict { result: None, told, early: Vec::new() }
}

pub(crate) fn connect<'a>(
    mut connector: Connector,
    portions: impl IntoIterator<Item = &'a [u8]>,
) -> Verdict<(), ProxyError> {
    let mut told = connector.transmit().to_vec();
    connector.transmitted(told.len());
    let mut portions = portions.into_iter();
    for portion in portions.by_ref() {
        let progress = connector.receive(portion);
        told.extend(connector.transmit());
        connector.transmitted(connector.transmit().len());
        let result = match progress {
            Ok(ConnectorProgress::More) => continue,
            Ok(ConnectorProgress::Connected) => Ok(()),
            Err(error) => {
                assert_eq!(connector.receive(b"again"), Err(error.clone()), "errors are final");
                assert_eq!(connector.transmit(), b"", "nothing more is said to such a proxy");
                // A proxy that answers ahead may fail before it was told all.
                told.clear();
                Err(error)
            }
        };
        let rest = if result.is_ok() { portions.flatten().copied().collect() } else { Vec::new() };
        let early = [connector.take_early(), rest].concat();
        return Verdict { result: Some(result), told, early };
    }
    Verdict { result: None, told, early: Vec::new() }
}

/// Every way to feed `bytes` that the tests try: whole, byte by byte, and cut once anywhere (in long ones only at
/// some places).
pub(crate) fn splits(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let step = bytes.len() / 500 + 1;
    let cuts = (1..bytes.len()).step_by(step).map(|at| vec![&bytes[..at], &bytes[at..]]);
    cuts.chain([vec![bytes], bytes.chunks(1).collect()]).collect()
}
