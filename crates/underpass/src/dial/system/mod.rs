//! The proxy that the environment names, as curl and most programs read it, or else the settings of the desktop.

#[cfg(not(any(windows, target_os = "macos")))]
#[path = "gnome.rs"]
mod desktop;
#[cfg(any(windows, target_os = "macos"))]
#[path = "registry.rs"]
mod desktop;

use std::env;

use underpass_proxy::{Exceptions, ProxyUrl};

use crate::Error;

/// An SSH connection is no web page: the proxy for everything counts first, then the one for secure connections.
const PROXIES: [&str; 2] = ["ALL_PROXY", "HTTPS_PROXY"];

const EXCEPTIONS: &str = "NO_PROXY";

/// The proxy for a host; `None`: none.
///
/// # Errors
/// It is not a URL that makes sense, or cannot be known here.
pub(super) async fn proxy(host: &str, port: u16) -> Result<Option<ProxyUrl>, Error> {
    match choose(host, port, |name| env::var(name).ok())? {
        Choice::Proxy(url) => Ok(Some(*url)),
        Choice::None => Ok(None),
        Choice::Unsaid => desktop::proxy(host, port).await,
    }
}

/// What the environment says.
#[derive(Debug, PartialEq)]
enum Choice {
    Proxy(Box<ProxyUrl>),
    /// The host is an exception.
    None,
    /// Nothing.
    Unsaid,
}

fn choose(host: &str, port: u16, variable: impl Fn(&str) -> Option<String>) -> Result<Choice, Error> {
    // The lower case counts first: CGI programs get `HTTP_PROXY` from their clients.
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let read = |name: &str| set(&name.to_lowercase()).or_else(|| set(name));
    if read(EXCEPTIONS).is_some_and(|list| Exceptions::parse(&list).contains(host, port)) {
        return Ok(Choice::None);
    }
    let Some((name, value)) = PROXIES.iter().find_map(|name| Some((name, read(name)?))) else {
        return Ok(Choice::Unsaid);
    };
    match value.parse() {
        Ok(url) => Ok(Choice::Proxy(Box::new(url))),
        Err(problem) => Err(Error::configuration(format!("in the variable {name}, {problem}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Option<String> {
        let read = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match choose("bastion.corp", 22, read).unwrap() {
            Choice::Proxy(url) => Some(url.to_string()),
            Choice::None => Some("directly".to_owned()),
            Choice::Unsaid => None,
        }
    }

    #[test]
    fn the_proxy_for_everything_counts_first_and_lower_case_before_upper() {
        assert_eq!(chosen(&[]), None);
        let https = ("HTTPS_PROXY", "http://web:3128");
        assert!(chosen(&[https]).unwrap().contains("web:3128"));
        assert!(chosen(&[https, ("ALL_PROXY", "socks5://all:1")]).unwrap().contains("all:1"));
        assert!(
            chosen(&[("ALL_PROXY", "socks5://A:1"), ("all_proxy", "socks5://b:2")]).unwrap().contains("b:2")
        );
        assert_eq!(chosen(&[("ALL_PROXY", "")]), None);
        assert!(chosen(&[("all_proxy", ""), https]).unwrap().contains("web:3128"));
        assert!(
            chosen(&[("https_proxy", ""), https]).unwrap().contains("web:3128"),
            "empty is as good as unset"
        );
    }

    #[test]
    fn exceptions_go_directly() {
        let proxy = ("all_proxy", "socks5://p:1");
        assert_eq!(chosen(&[proxy, ("no_proxy", "localhost,.corp")]).unwrap(), "directly");
        assert!(chosen(&[proxy, ("no_proxy", "localhost,.example")]).unwrap().contains("p:1"));
    }

    #[test]
    fn a_variable_that_makes_no_sense_is_named() {
        let error =
            choose("h", 22, |name| (name == "ALL_PROXY").then(|| "gopher://x".to_owned())).unwrap_err();
        assert!(error.to_string().contains("ALL_PROXY"), "{error}");
    }
}
