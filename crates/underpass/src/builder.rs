use std::{path::PathBuf, sync::Arc};

use underpass_crypto::{Secret, Signer};
use underpass_keys::PrivateKey;
use underpass_pkcs11::UriError;

use crate::{
    BeforeReconnect, CustomAuthentication, Destination, Error, Event, Forward, HostKeyJudge, Identity,
    Prompter, ReconnectAttempt, ServerPacket, Settings, ShownHostKey, TextDecoder, UserCertificate,
    keys::StoredKey,
};

/// Collects the settings of a tunnel, then opens it.
///
/// A mistake in a setting is reported by `open`, so that calls chain without `?`.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing happens until the tunnel is opened"]
pub struct Builder {
    /// Each has its method in `settings.rs`, where it is declared.
    pub(crate) settings: Settings,
    /// The first mistake.
    mistake: Option<Error>,
}

impl Builder {
    /// Starts with the server to go through, in any form of [`Destination`].
    pub fn new(destination: impl AsRef<str>) -> Self {
        match destination.as_ref().parse() {
            Ok(destination) => Self::default().destination(destination),
            Err(mistake) => Self { settings: Settings::default(), mistake: Some(mistake) },
        }
    }

    /// The server to go through; parts that it leaves open keep their values.
    pub fn destination(mut self, Destination { user, host, port }: Destination) -> Self {
        self.settings.host = host;
        self.settings.user = user.or(self.settings.user);
        self.settings.port = port.unwrap_or(self.settings.port);
        self
    }

    /// Adds a forward.
    pub fn forward(mut self, forward: Forward) -> Self {
        self.settings.forwards.push(forward);
        self
    }

    /// Adds a local forward written as `[bind:]port:host:hostport`.
    pub fn local_forward(self, text: impl AsRef<str>) -> Self {
        self.parsed(Forward::parse_local(text.as_ref()))
    }

    fn parsed(mut self, forward: Result<Forward, Error>) -> Self {
        match forward {
            Ok(forward) => self.settings.forwards.push(forward),
            Err(mistake) => self.mistake = self.mistake.or(Some(mistake)),
        }
        self
    }

    /// Adds a dynamic forward written as `[bind:]port`.
    pub fn dynamic_forward(self, text: impl AsRef<str>) -> Self {
        self.parsed(Forward::parse_dynamic(text.as_ref()))
    }

    /// Adds a remote forward written as `[bind:]port:host:hostport`, or `[bind:]port` for a proxy on the server.
    pub fn remote_forward(self, text: impl AsRef<str>) -> Self {
        self.parsed(Forward::parse_remote(text.as_ref()))
    }

    /// Adds a hop: an SSH server to go through before the one in the destination, after the hops that were added
    /// before. It has settings of its own, host keys and credentials included; only who is asked and who sees events
    /// is as for the tunnel, unless it says otherwise.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), underpass::Error> {
    /// use underpass::Tunnel;
    ///
    /// let outer = Tunnel::builder("me@outer").identity_file("/keys/outer");
    /// let tunnel = Tunnel::builder("root@inner").jump(outer).local_forward("0:db:5432").open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn jump(mut self, hop: Builder) -> Self {
        match hop.mistake {
            Some(mistake) => self.mistake = self.mistake.or(Some(mistake)),
            None => self.settings.jumps.push(hop.settings),
        }
        self
    }

    /// Adds a private key in a file.
    pub fn identity_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.identities.push(Identity::File(path.into()));
        self
    }

    /// Adds the private keys on PKCS#11 tokens that a URI fits (RFC 7512):
    /// `pkcs11:token=work;object=ssh?module-path=/usr/lib/opensc-pkcs11.so`. The module is loaded into this process; name
    /// only modules that you trust. See also [`Settings::pkcs11_provider`] and [`Settings::pin`].
    pub fn token(mut self, uri: impl AsRef<str>) -> Self {
        match uri.as_ref().parse() {
            Ok(uri) => self.settings.identities.push(Identity::Token(Box::new(uri))),
            Err(mistake) => {
                let mistake: UriError = mistake;
                self.mistake = self.mistake.or(Some(Error::configuration(mistake.to_string())));
            }
        }
        self
    }

    /// Adds a private key in a store of the system. It is looked for when the tunnel opens.
    pub fn stored_key(mut self, key: StoredKey) -> Self {
        self.settings.identities.push(Identity::Stored(key));
        self
    }

    /// Adds a private key that the program holds, such as one out of a [store](crate::keys). X.509 certificates that belong to
    /// it are shown as those of a file would be.
    pub fn key(mut self, key: PrivateKey) -> Self {
        self.settings.identities.push(Identity::Key(Box::new(key)));
        self
    }

    /// Adds a private key that the program holds and that has no certificates.
    pub fn signer(self, signer: Arc<dyn Signer>) -> Self {
        self.key(PrivateKey { signer, comment: String::new(), encrypted: false, certificates: Vec::new() })
    }

    /// Has the program write the messages of the login itself, instead of everything else that there is to log in with:
    /// for methods that are not built in. See [`CustomAuthentication::new`] for what `next` does.
    pub fn custom_authentication(
        mut self,
        next: impl Fn(ServerPacket<'_>) -> Option<Secret> + Send + Sync + 'static,
    ) -> Self {
        self.settings.custom_authentication = Some(CustomAuthentication::new(next));
        self
    }

    /// Has the program judge the server's key, instead of known_hosts files, CA certificates and the
    /// [policy](Settings::host_key_policy): `judge` sees every key that the server shows, on each connection, and says
    /// whether it is the server's. It is called on a thread of its own and may block; the deadline for logging in goes on
    /// meanwhile. A key exchange on a connection that stands asks again only if the key is another one. Hops have judges
    /// of their own, or none. Where [`Kerberos`](crate::Kerberos) vouches for a server, no key is looked at.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), underpass::Error> {
    /// use underpass::{ShownHostKey, Tunnel};
    ///
    /// const PINNED: &str = "SHA256:uNiVztksCsDhcc0u9e8BrrJXhw8ldGYUzxCIFcJq3jY";
    ///
    /// let tunnel = Tunnel::builder("me@bastion")
    ///     .host_key_judge(|shown: &ShownHostKey| shown.fingerprint == PINNED)
    ///     .local_forward("0:db:5432")
    ///     .open()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn host_key_judge(mut self, judge: impl Fn(&ShownHostKey) -> bool + Send + Sync + 'static) -> Self {
        self.settings.host_key_judge = Some(HostKeyJudge::new(judge));
        self
    }

    /// Has the program say, before each attempt to connect again, whether it is to be made; if not, the tunnel ends with
    /// [`ErrorKind::NotReconnected`](crate::ErrorKind::NotReconnected). Only attempts that the
    /// [settings](Settings::reconnect) allow are asked about, with [`Reconnect::always`](crate::Reconnect::always) also
    /// those before the tunnel is open. `wanted` is called on a thread of its own and may block; the wait before the attempt
    /// goes on meanwhile.
    ///
    /// ```
    /// use underpass::Tunnel;
    ///
    /// let builder = Tunnel::builder("me@bastion").before_reconnect(|due| {
    ///     eprintln!("{}; attempt {} in {:?}", due.error, due.attempt, due.after);
    ///     due.attempt <= 20
    /// });
    /// # drop(builder);
    /// ```
    pub fn before_reconnect(
        mut self,
        wanted: impl Fn(&ReconnectAttempt) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.settings.before_reconnect = Some(BeforeReconnect::new(wanted));
        self
    }

    /// Adds a certificate of a user, in a file, for one of the private keys: see [`UserCertificate::File`].
    pub fn certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.certificates.push(UserCertificate::File(path.into()));
        self
    }

    /// Adds an OpenSSH certificate of a user as a line, for one of the private keys; the line's first word is the
    /// algorithm to sign with, see [`UserCertificate::Line`].
    pub fn certificate(mut self, line: impl Into<String>) -> Self {
        self.settings.certificates.push(UserCertificate::Line(line.into()));
        self
    }

    /// Says who answers questions. Nobody is asked while [`Settings::batch`] is true.
    pub fn prompter(mut self, prompter: impl Prompter + 'static) -> Self {
        self.settings.prompter = Some(Arc::new(prompter));
        self
    }

    /// Says how the server's prompts and banners become characters, where they are not in UTF-8: `decode` is given the
    /// bytes, and must make something of any. It is called often, on the tunnel's own task too.
    pub fn server_text(mut self, decode: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> Self {
        self.settings.server_text = Some(TextDecoder::new(decode));
        self
    }

    /// Says who sees events, see [`Observer`].
    pub fn observer(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.settings.observer = Some(Arc::new(observer));
        self
    }

    /// The settings, once they are found to make sense.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): the first mistake.
    pub fn settings(self) -> Result<Settings, Error> {
        match self.mistake {
            Some(mistake) => Err(mistake),
            None => self.settings.validate().map(|()| self.settings),
        }
    }
}

impl From<Settings> for Builder {
    fn from(settings: Settings) -> Self {
        Self { settings, mistake: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_is_reported_when_the_settings_are_taken() {
        let mistake = Builder::new("bastion").local_forward("80").local_forward("x").settings().unwrap_err();
        assert!(mistake.to_string().contains("`80`"), "{mistake}");
        let mistake = Builder::new("-bastion").local_forward("80").settings().unwrap_err();
        assert!(mistake.to_string().contains("`-bastion`"), "{mistake}");
    }

    #[test]
    fn a_destination_leaves_alone_what_it_does_not_say() {
        let destination = |text: &str| text.parse().unwrap();
        let builder = Builder::new("bastion").user("me").port(2222);
        let kept = builder.clone().destination(destination("other")).settings().unwrap();
        assert_eq!((kept.user.as_deref(), kept.host.as_str(), kept.port), (Some("me"), "other", 2222));
        let changed = builder.destination(destination("you@other:22")).settings().unwrap();
        assert_eq!((changed.user.as_deref(), changed.port), (Some("you"), 22));
    }
}
