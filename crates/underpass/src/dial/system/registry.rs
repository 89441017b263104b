//! The proxy in the settings of Windows or macOS.

use hyper_util::client::proxy::matcher::Matcher;
use underpass_proxy::ProxyUrl;

use crate::Error;

/// The proxy for a host; `None`: none.
///
/// # Errors
/// What is set makes no sense.
pub(super) async fn proxy(host: &str, port: u16) -> Result<Option<ProxyUrl>, Error> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    // The proxy for secure connections is the one that lets anything through.
    let Ok(target) = format!("https://{host}:{port}").parse() else { return Ok(None) };
    let Some(found) = Matcher::from_system().intercept(&target) else { return Ok(None) };
    match found.uri().to_string().parse() {
        Ok(url) => Ok(Some(url)),
        Err(problem) => {
            Err(Error::configuration(format!("in the system's settings of the proxy, {problem}")))
        }
    }
}
