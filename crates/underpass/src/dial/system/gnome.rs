//! The proxy in the settings of GNOME and of the desktops that share them: the schema `org.gnome.system.proxy`.
//!
//! They are in a database of the desktop's own, which its program `gsettings` reads.

use std::collections::BTreeMap;
use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use underpass_proxy::{Credentials, Exceptions, ProxyKind, ProxyUrl};

use crate::Error;

/// Where there is a desktop, this names it.
const DESKTOP: &str = "XDG_CURRENT_DESKTOP";

const SCHEMA: &str = "org.gnome.system.proxy";

/// How long the program may take: it may have to start the desktop's database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which proxies an SSH connection can go through, best first: what is for everything, then what is for secure
/// connections.
const PROXIES: [(&str, ProxyKind); 3] =
    [("socks", ProxyKind::Socks5h), ("https", ProxyKind::Http), ("http", ProxyKind::Http)];

/// The proxy for a host; `None`: none, or no such desktop.
///
/// # Errors
/// A script chooses the proxy, or what is set makes no sense.
pub(super) async fn proxy(host: &str, port: u16) -> Result<Option<ProxyUrl>, Error> {
    if env::var_os(DESKTOP).is_none_or(|name| name.is_empty()) {
        return Ok(None);
    }
    let mut program = Command::new("gsettings");
    program.args(["list-recursively", SCHEMA]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    // Without the program, or with none of its settings, there is nothing to follow.
    match timeout(PATIENCE, program.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            choose(&String::from_utf8_lossy(&output.stdout), host, port)
        }
        _ => Ok(None),
    }
}

fn choose(listing: &str, host: &str, port: u16) -> Result<Option<ProxyUrl>, Error> {
    let settings = Settings::read(listing);
    match settings.text("", "mode").as_deref() {
        Some("manual") => {}
        Some("auto") => {
            return Err(Error::configuration(
                "the desktop's settings have a script choose the proxy, and scripts are not run",
            )
            .with_advice("name the proxy, with `--proxy URL` or in the variable ALL_PROXY"));
        }
        _ => return Ok(None),
    }
    let exceptions = settings.value("", "ignore-hosts").map_or_else(Vec::new, texts);
    if Exceptions::parse(&exceptions.join(",")).contains(host, port) {
        return Ok(None);
    }
    PROXIES.iter().find_map(|(name, kind)| settings.proxy(name, *kind).transpose()).transpose()
}

/// The values by the rest of their schema's name and their key.
struct Settings<'a>(BTreeMap<(&'a str, &'a str), &'a str>);

impl<'a> Settings<'a> {
    /// Reads lines of `schema key value`.
    fn read(listing: &'a str) -> Self {
        let entry = |line: &'a str| {
            let (schema, rest) = line.strip_prefix(SCHEMA)?.split_once(' ')?;
            let (key, value) = rest.split_once(' ')?;
            Some(((schema.trim_start_matches('.'), key), value.trim()))
        };
        Self(listing.lines().filter_map(entry).collect())
    }

    fn value(&self, schema: &str, key: &str) -> Option<&'a str> {
        self.0.get(&(schema, key)).copied()
    }

    fn text(&self, schema: &str, key: &str) -> Option<String> {
        self.value(schema, key).and_then(|value| texts(value).pop())
    }

    /// The proxy of this name, if one is set.
    fn proxy(&self, name: &str, kind: ProxyKind) -> Result<Option<ProxyUrl>, Error> {
        let port = self.value(name, "port").and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let (Some(host), Some(port)) = (self.text(name, "host").filter(|host| !host.is_empty()), port) else {
            return Ok(None);
        };
        let problem = |what: String| {
            Error::configuration(format!("in the desktop's settings, {SCHEMA}.{name}: {what}"))
        };
        let host = host.parse().map_err(|error| problem(format!("{error}")))?;
        let credentials = match self.value(name, "use-authentication") {
            Some("true") => {
                let user = self.text(name, "authentication-user").unwrap_or_default();
                let password = self.text(name, "authentication-password").unwrap_or_default();
                Some(Credentials::new(user, password.as_str()).map_err(|error| problem(error.to_string()))?)
            }
            _ => None,
        };
        Ok(Some(ProxyUrl { kind, host, port, credentials }))
    }
}

/// The strings in a value: between quotes of either kind, with `\` before what is meant as it is.
fn texts(value: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut characters = value.chars();
    while let Some(quote) = characters.find(|character| matches!(character, '\'' | '"')) {
        let mut text = String::new();
        while let Some(character) = characters.next().filter(|character| *character != quote) {
            text.extend(if character == '\\' { characters.next() } else { Some(character) });
        }
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str]) -> Result<Option<String>, Error> {
        let lines = lines.iter().map(|line| format!("org.gnome.system.proxy{line}\n"));
        let listing: String = lines.chain(["org.gnome.system.proxy mode 'manual'\n".to_owned()]).collect();
        choose(&listing, "bastion.corp", 22).map(|url| url.map(|url| url.to_string()))
    }

    #[test]
    fn the_proxy_for_everything_counts_first() {
        let socks = [".socks host 'one'", ".socks port 1080"];
        let https = [".https host 'two'", ".https port 3128"];
        let http = [".http host '::1'", ".http port 8080"];
        let all = [socks, https, http].concat();
        assert_eq!(chosen(&all).unwrap().unwrap(), "socks5h://one:1080");
        assert_eq!(chosen(&all[2..]).unwrap().unwrap(), "http://two:3128");
        assert_eq!(chosen(&all[4..]).unwrap().unwrap(), "http://[::1]:8080");
        assert_eq!(chosen(&[]).unwrap(), None);
        assert_eq!(chosen(&[".socks host ''", ".socks port 1"]).unwrap(), None);
        assert_eq!(chosen(&[".socks host 'a'", ".socks port 0"]).unwrap(), None);
    }

    #[test]
    fn a_user_and_a_password_are_taken_along() {
        let lines = [
            ".http host 'p'",
            ".http port 1",
            ".http use-authentication true",
            ".http authentication-user 'me'",
            r".http authentication-password 'it\'s'",
        ];
        assert_eq!(chosen(&lines).unwrap().unwrap(), "http://me:***@p:1");
    }

    #[test]
    fn exceptions_go_directly() {
        let proxy = [".socks host 'p'", ".socks port 1"];
        let with = |exceptions: &'static str| chosen(&[proxy[0], proxy[1], exceptions]).unwrap();
        assert_eq!(with(" ignore-hosts ['localhost', '*.corp', '::1']"), None);
        assert!(with(" ignore-hosts ['localhost', '127.0.0.0/8', '::1']").is_some());
        assert!(with(" ignore-hosts @as []").is_some());
    }

    #[test]
    fn a_script_is_no_silent_way_around_the_proxy() {
        let error = choose("org.gnome.system.proxy mode 'auto'\n", "h", 22).unwrap_err();
        assert!(error.to_string().contains("script") && error.advice().unwrap().contains("ALL_PROXY"));
        assert_eq!(choose("org.gnome.system.proxy mode 'none'\n", "h", 22).unwrap(), None);
        assert_eq!(choose("", "h", 22).unwrap(), None);
    }

    #[test]
    fn strings_are_read_with_their_escapes() {
        assert_eq!(texts(r#"['a', "b'c", 'd\'e\\']"#), ["a", "b'c", r"d'e\"]);
        assert!(texts("@as []").is_empty() && texts("").is_empty());
    }
}
