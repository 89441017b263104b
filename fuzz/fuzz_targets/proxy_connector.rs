//! What proxies answer: the verdict is the same however the bytes arrive, and their words do no harm when shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use underpass_proxy::{
    Connector, ConnectorProgress, Credentials, Host, ProxyError, ProxyKind, ProxyUrl, Target,
};

fuzz_target!(|input: (u8, bool, u8, &[u8])| {
    let (kind, has_credentials, portion, bytes) = input;
    let proxy = ProxyUrl {
        kind: ProxyKind::ALL[usize::from(kind) % ProxyKind::ALL.len()],
        host: Host::Name("proxy".to_owned()),
        port: 1080,
        credentials: has_credentials.then(|| Credentials::new("ann", "one").expect("both are short words")),
    };
    let whole = connect(&proxy, bytes, bytes.len().max(1));
    assert_eq!(connect(&proxy, bytes, usize::from(portion).max(1)), whole);
    if let Err(error) = whole {
        assert!(!error.to_string().contains(char::is_control));
    }
});

/// What is left for the tunnel, `None` where the proxy has not come to an answer.
fn connect(proxy: &ProxyUrl, bytes: &[u8], portion: usize) -> Result<Option<Vec<u8>>, ProxyError> {
    // An address that every kind can carry.
    let target = Target::new(Host::Ip([192, 0, 2, 1].into()), 22);
    let mut connector = Connector::new(proxy, &target)?;
    let mut portions = bytes.chunks(portion);
    while let Some(bytes) = portions.next() {
        connector.transmitted(connector.transmit().len());
        let progress = connector.receive(bytes)?;
        assert!(connector.early().len() <= bytes.len());
        if progress == ConnectorProgress::Connected {
            return Ok(Some([connector.take_early(), portions.flatten().copied().collect()].concat()));
        }
    }
    Ok(None)
}
