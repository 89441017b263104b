//! TLS to a proxy. The SSH connection inside has its own; this is what `https://` proxies ask for.

use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// Begins TLS on a stream to `host`, whose certificate one of the system's authorities has to vouch for.
///
/// # Errors
/// What is wrong, in words.
pub(super) async fn begin<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
) -> Result<TlsStream<S>, String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "its name cannot be in a certificate".to_owned())?;
    let connector = TlsConnector::from(config()?);
    connector.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))
}

/// The system's authorities are read once.
fn config() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    CONFIG.get_or_init(build).clone()
}

fn build() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // A damaged one among many is no reason to trust none.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this machine trusts no certificate authority".to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
