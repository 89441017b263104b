//! What is to be done with Kerberos.

use std::path::PathBuf;

use underpass_gssapi::Target;

/// How Kerberos is used, through the system's GSSAPI library, which is loaded when it is needed.
///
/// In a key exchange Kerberos says who the server is: whoever can use the keys of `host/HOST` in the realm's database is
/// the server. The server's host key is then neither looked up nor put on record, whatever the
/// [policy](crate::HostKeyPolicy), and no known_hosts file is needed.
///
/// New keys take a ticket that is valid at that time. If it has expired meanwhile, the connection ends, and the next one
/// does without Kerberos in the key exchange, unless nothing else is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Kerberos {
    /// Whether to log on with it: `gssapi-keyex` after a key exchange with Kerberos, and `gssapi-with-mic` (RFC 4462
    /// sections 3 and 4). Default: no.
    pub authentication: bool,
    /// Whether key exchanges with it are preferred to all others, if there is a ticket for the server (RFC 4462
    /// section 2). Default: no.
    pub key_exchange: bool,
    /// Which these are, as in [`Settings::kex_algorithms`](crate::Settings::kex_algorithms); a name that ends with `-`
    /// stands for the one that goes on with the mechanism. Default: the four with SHA-2.
    pub key_exchanges: Option<String>,
    /// Whether the server is given a ticket with which it can act as the user, if the KDC allows that. Default: no.
    pub delegate: bool,
    /// Where the user's ticket comes from. Default: from the cache that `kinit` or the system's login fills.
    pub credentials: KerberosCredentials,
    /// The user's principal, `NAME` or `NAME@REALM`. Default: that of the ticket in the cache, or the user who logs in.
    pub client: Option<String>,
    /// The name that the server has to Kerberos: a host name, or a principal with a slash, `host/HOST` or
    /// `host/HOST@REALM`. Default: the host.
    pub server: Option<String>,
    /// The realm of principals that name none. Default: what krb5.conf says.
    pub realm: Option<String>,
    /// The GSSAPI library. Default: MIT's or Heimdal's, where the system keeps it; Apple's on macOS; none on Windows.
    pub library: Option<PathBuf>,
}

/// Where a user's ticket comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum KerberosCredentials {
    /// The system's cache.
    #[default]
    Cache,
    /// The KDC, for the [password](crate::Settings::password) of the settings. It stays in this process.
    Password,
}

impl Kerberos {
    /// The server of `host` as Kerberos knows it.
    pub(crate) fn target(&self, host: &str) -> Target {
        let server = self.server.as_deref().unwrap_or(host);
        match (server.contains('/'), &self.realm) {
            (true, _) => Target::principal(self.with_realm(server)),
            (false, Some(_)) => Target::principal(self.with_realm(&format!("host/{server}"))),
            (false, None) => Target::host(server),
        }
    }

    /// The user's principal, where one is to be named.
    pub(crate) fn principal(&self, user: &str) -> Option<String> {
        match (&self.client, self.credentials) {
            (Some(client), _) => Some(self.with_realm(client)),
            (None, KerberosCredentials::Password) => Some(self.with_realm(user)),
            (None, KerberosCredentials::Cache) => None,
        }
    }

    fn with_realm(&self, name: &str) -> String {
        match &self.realm {
            Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_the_host_unless_more_is_known() {
        let target = |server: Option<&str>, realm: Option<&str>| {
            let (server, realm) = (server.map(str::to_owned), realm.map(str::to_owned));
            Kerberos { server, realm, ..Kerberos::default() }.target("bastion").name().to_owned()
        };
        assert_eq!(target(None, None), "host@bastion");
        assert_eq!(target(Some("alias"), None), "host@alias");
        assert_eq!(target(None, Some("A.ORG")), "host/bastion@A.ORG");
        assert_eq!(target(Some("ssh/x"), None), "ssh/x");
        assert_eq!(target(Some("ssh/x"), Some("A.ORG")), "ssh/x@A.ORG");
        assert_eq!(target(Some("ssh/x@B.ORG"), Some("A.ORG")), "ssh/x@B.ORG");
    }

    #[test]
    fn the_user_is_named_where_the_cache_does_not_tell() {
        use KerberosCredentials::{Cache, Password};
        let principal = |credentials, client: Option<&str>, realm: Option<&str>| {
            let (client, realm) = (client.map(str::to_owned), realm.map(str::to_owned));
            Kerberos { credentials, client, realm, ..Kerberos::default() }.principal("me")
        };
        assert_eq!(principal(Cache, None, Some("A.ORG")), None);
        assert_eq!(principal(Cache, Some("you"), Some("A.ORG")).as_deref(), Some("you@A.ORG"));
        assert_eq!(principal(Password, None, None).as_deref(), Some("me"));
        assert_eq!(principal(Password, Some("you@B.ORG"), Some("A.ORG")).as_deref(), Some("you@B.ORG"));
    }
}
