//! The way to the server.

use underpass::{Builder, Headers, Proxy};

use crate::Error;
use crate::pattern::Pattern;
use crate::store::Store;

/// Sets the proxy, if there is one for this server.
///
/// # Errors
/// What is said of it makes no sense.
pub(super) fn choose(builder: Builder, store: &Store) -> Result<Builder, Error> {
    let (host, kind) = (store.text("firewall_host"), store.number("firewall_type"));
    let server = store.text("ssh_host");
    if is_excepted(&store.text("ProxyExceptionsList"), server.trim_start_matches('*')) {
        return Ok(builder);
    }
    let proxy = match (host.as_str(), kind) {
        ("", _) if store.flag("firewall_auto_detect") => "system".to_owned(),
        ("", _) | (_, 0) => return Ok(builder),
        (host, kind) => url(store, host, kind, server.starts_with('*')),
    };
    let problem = |error: &dyn std::fmt::Display| Error::invalid(format!("The proxy: {error}."));
    let proxy = Proxy::parse(&proxy).map_err(|error| problem(&error))?;
    let lines = store.text("FirewallData");
    if lines.is_empty() {
        return Ok(builder.proxy(proxy));
    }
    let headers = Headers::parse(&lines).map_err(|error| problem(&error))?;
    Ok(builder.proxy(proxy.with_headers(headers)))
}

fn url(store: &Store, host: &str, kind: i64, resolve_there: bool) -> String {
    let scheme = match (kind, resolve_there) {
        (1, _) => "http",
        (2, _) => "socks4",
        (3, false) => "socks5",
        (3, true) => "socks5h",
        _ => "socks4a",
    };
    let (user, password) = (store.text("firewall_user"), store.text("firewall_password"));
    let credentials = match (user.is_empty(), password.is_empty()) {
        (true, true) => String::new(),
        (_, true) => format!("{}@", escaped(&user)),
        (_, false) => format!("{}:{}@", escaped(&user), escaped(&password)),
    };
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{credentials}{host}:{}", store.number("firewall_port"))
}

/// RFC 3986 section 2.1.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Whether a list excepts the server: names between semicolons, in which `*` stands for anything.
fn is_excepted(list: &str, server: &str) -> bool {
    let server = server.to_ascii_lowercase();
    let names = list.split(';').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
    names.into_iter().any(|name| Pattern::new(&name).matches(&server))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_with_stars() {
        for (list, excepted) in
            [("", false), ("other; *.CORP", true), ("bastion", false), ("bastion.corp", true), ("*", true)]
        {
            assert_eq!(is_excepted(list, "Bastion.corp"), excepted, "{list}");
        }
    }

    #[test]
    fn credentials_are_whatever_they_are() {
        let mut store = Store::default();
        for (name, value) in [("firewall_user", "a@b"), ("firewall_password", "p:/%")] {
            store.set(&crate::store::Member::property(name).unwrap(), value.into());
        }
        store.set(&crate::store::Member::property("firewall_type").unwrap(), 3.into());
        assert_eq!(url(&store, "proxy", 3, false), "socks5://a%40b:p%3A%2F%25@proxy:1080");
        assert_eq!(url(&store, "::1", 10, false), "socks4a://a%40b:p%3A%2F%25@[::1]:1080");
    }
}
