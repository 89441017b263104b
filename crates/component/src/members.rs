//! Properties and settings by name.

use std::time::{Duration, Instant};

use underpass::{FingerprintHash, Tunnel};

use crate::client::Client;
use crate::error::of_socket;
use crate::listener::access;
use crate::lock::lock;
use crate::model::{Access, Refused, Scope};
use crate::resolve::{self, Wanted};
use crate::store::{Member, Store, seconds};
use crate::tunnel::Inner;
use crate::variant::Convert;
use crate::{Error, SshTunnel, Variant, build_info, cryptography, text, trust};

impl SshTunnel {
    /// The value of a property of the tunnel.
    ///
    /// # Errors
    /// There is none of that name, or each client has its own.
    pub fn get(&self, name: &str) -> Result<Variant, Error> {
        let member = property(name, Scope::Component)?;
        Ok(self.0.live(member.name).unwrap_or_else(|| lock(&self.0.store).get(&member)))
    }

    /// Sets a property of the tunnel.
    ///
    /// # Errors
    /// There is none of that name, or the value is no good; or it cannot be set now: see the table of
    /// [properties](crate::table::PROPERTIES) for the codes.
    pub fn set(&self, name: &str, value: impl Into<Variant>) -> Result<(), Error> {
        let member = property(name, Scope::Component)?;
        self.assign(&member, value.into())
    }

    /// The value of a property of the client at a place, from 0 to [`client_count`](Self::client_count) - 1.
    ///
    /// # Errors
    /// 126: there are not so many clients. There is no property of that name, or it is not to be read.
    pub fn get_client(&self, name: &str, client: i64) -> Result<Variant, Error> {
        let member = property(name, Scope::Client)?;
        if member.access == Access::WriteOnly {
            return Err(Error::invalid(format!("{} cannot be read.", member.name)));
        }
        let client = self.0.clients.at(i32::try_from(client).unwrap_or(-1))?;
        Ok(read(&client, &self.0, member.name).unwrap_or_else(|| Variant::initial(&member.value)))
    }

    /// Sets a property of the client at a place.
    ///
    /// # Errors
    /// 126: there are not so many clients. There is no property of that name, it is not to be set, or the value is no good.
    /// 10035: nothing more can be sent to the client now.
    pub fn set_client(&self, name: &str, client: i64, value: impl Into<Variant>) -> Result<(), Error> {
        let (member, value) = (property(name, Scope::Client)?, value.into());
        let client = self.0.clients.at(i32::try_from(client).unwrap_or(-1))?;
        writable(&member)?;
        member.check(&value)?;
        self.write(&client, member.name, value)
    }

    /// Sets a setting, `Name=Value`, or reads one, `Name`; where it is one of each client or channel, `Name[5]`. Names are
    /// written in any case.
    ///
    /// # Errors
    /// There is none of that name, the value is no good, or it cannot be set now: see the
    /// [settings](crate::table::SETTINGS) for the codes.
    pub fn config(&self, configuration_string: &str) -> Result<String, Error> {
        match configuration_string.split_once('=') {
            Some((name, text)) => {
                let member = Member::setting(name)?;
                self.assign(&member, Variant::parse(text, member.value.value_type())?)?;
                Ok(String::new())
            }
            None => {
                let member = Member::setting(configuration_string)?;
                let live = self.read_setting(&member)?.or_else(|| self.0.live(member.name));
                Ok(live.unwrap_or_else(|| lock(&self.0.store).get(&member)).to_string())
            }
        }
    }

    fn assign(&self, member: &Member, value: Variant) -> Result<(), Error> {
        writable(member)?;
        self.0.may_change(member)?;
        member.check(&value)?;
        match (member.name, &value) {
            ("connected", Variant::Bool(true)) if !lock(&self.0.link).is_connected() => {
                return self.connect();
            }
            ("connected", Variant::Bool(false)) => self.shutdown(),
            ("listening", Variant::Bool(true)) if !lock(&self.0.link).is_listening() => {
                return self.start_listening();
            }
            ("listening", Variant::Bool(false)) => self.stop_listening(),
            ("connected" | "listening", _) => {}
            ("UseFIPSCompliantAPI", Variant::Bool(on)) => cryptography::use_fips(*on)?,
            ("ssh_cert_subject", Variant::Text(subject)) => return self.0.choose(&Wanted::Subject(subject)),
            ("ssh_cert_encoded", Variant::Bytes(encoded)) => {
                return self.0.choose(&Wanted::Certificate(encoded));
            }
            _ => {
                check(member.name, &value)?;
                self.0.put(member, value)?;
            }
        }
        Ok(())
    }

    /// What a setting tells or does, if it is more than a value that is kept.
    fn read_setting(&self, member: &Member) -> Result<Option<Variant>, Error> {
        let told = |text: String| Ok(Some(Variant::Text(text)));
        let seen = || lock(&self.0.seen).clone();
        match member.name {
            "BuildInfo" => told(build_info::build_info(FEATURES)),
            "LicenseInfo" => told(build_info::license_info()),
            "UseFIPSCompliantAPI" => Ok(Some(Variant::Bool(cryptography::is_fips()))),
            "NegotiatedStrictKex" => Ok(Some(Variant::Bool(seen().strict.unwrap_or(false)))),
            "ServerSSHVersionString" => told(seen().server_version),
            "SSHFingerprintMD5" => told(seen().fingerprint(FingerprintHash::Md5)),
            "SSHFingerprintSHA1" => told(seen().fingerprint(FingerprintHash::Sha1)),
            "SSHFingerprintSHA256" => told(seen().fingerprint(FingerprintHash::Sha256)),
            "SSHKeyRenegotiate" => match lock(&self.0.link).tunnel() {
                Some(tunnel) => {
                    tunnel.rekey();
                    told(String::new())
                }
                None => Err(Error::new(212)),
            },
            "ChannelDataEOLFound" => {
                let found = seen().channel_eol_found;
                let found = found.is_some_and(|(id, found)| Some(id) == member.index && found);
                Ok(Some(Variant::Bool(found)))
            }
            "ConnectionUID" => {
                let client = member.index.and_then(|id| self.0.clients.of_id(id));
                Ok(Some(Variant::Int(client.map_or(0, |client| client.id.into()))))
            }
            _ => Ok(None),
        }
    }

    fn write(&self, client: &Client, name: &str, value: Variant) -> Result<(), Error> {
        let mut options = lock(&client.options);
        match (name, value) {
            ("client_accept_data", Variant::Bool(accept)) => {
                drop(options);
                client.set_accept_data(accept);
            }
            ("client_connected", Variant::Bool(true)) => {}
            ("client_connected", _) => {
                drop(options);
                client.close();
            }
            ("client_data_to_send", Variant::Bytes(bytes)) => {
                drop(options);
                return self.send(client, &bytes);
            }
            ("client_eol", Variant::Bytes(eol)) => options.eol = eol,
            ("client_idle_timeout", Variant::Int(seconds)) => {
                options.idle_timeout = seconds;
                options.moved.0 = Instant::now();
            }
            ("client_record_length", Variant::Int(length)) => options.record_length = Some(length),
            ("client_single_line_mode", Variant::Bool(on)) => options.single_line_mode = on,
            ("client_timeout", Variant::Int(seconds)) => options.timeout = seconds,
            ("client_user_data", Variant::Bytes(data)) => options.user_data = data,
            _ => {}
        }
        Ok(())
    }

    /// Sends to a client, at once or within its timeout, which begins anew with each byte that is taken; with
    /// `AbsoluteTimeout` it does not.
    fn send(&self, client: &Client, bytes: &[u8]) -> Result<(), Error> {
        let adopted = client.adopted.get().ok_or_else(|| Error::new(10035))?.clone();
        let absolute = lock(&self.0.store).flag("AbsoluteTimeout");
        let timeout = seconds(lock(&client.options).timeout);
        let patience = timeout.unwrap_or_default();
        let (mut taken, mut until) = (0, Instant::now() + patience);
        loop {
            let more = adopted.send(&bytes[taken..]).map_err(|error| of_socket(&error))?;
            taken += more;
            {
                let mut options = lock(&client.options);
                options.bytes_taken = taken as u64;
                options.ready_to_send = taken == bytes.len();
                if more > 0 {
                    options.moved.0 = Instant::now();
                }
            }
            let code = match taken < bytes.len() {
                false => return Ok(()),
                true if timeout.is_none() => 10035,
                true => 201,
            };
            if more > 0 && !absolute {
                until = Instant::now() + patience;
            }
            if timeout.is_none() || Instant::now() >= until {
                return Err(Error::new(code).because(format!("{taken} of {} bytes were taken.", bytes.len())));
            }
            // What is waited for needs no handler, so this may be one.
            let writable = adopted.clone();
            if self.0.queue.is_in_handler() {
                std::thread::sleep(Duration::from_millis(1));
            } else {
                self.wait_for(async move {
                    let _ = tokio::time::timeout_at(until.into(), writable.writable(1)).await;
                })?;
            }
        }
    }

    /// The value of a property of the tunnel, as the type that it has.
    pub(crate) fn get_as<T: Convert>(&self, name: &str) -> T {
        // The names and types are those of the tables, as the generated accessors have them.
        self.get(name).ok().and_then(T::from_variant).expect("a property of that type")
    }

    /// The value of a property of a client.
    pub(crate) fn get_client_as<T: Convert>(&self, name: &str, client: i64) -> Result<T, Error> {
        let value = self.get_client(name, client)?;
        Ok(T::from_variant(value).expect("a property of that type"))
    }
}

impl Inner {
    /// What is read off the tunnel, rather than kept.
    fn live(&self, name: &str) -> Option<Variant> {
        let link = lock(&self.link);
        Some(match name {
            "connected" => Variant::Bool(link.is_connected()),
            "listening" => Variant::Bool(link.is_listening()),
            "client_count" => Variant::Int(i64::try_from(self.clients.len()).unwrap_or(i64::MAX)),
            "local_port" => Variant::Int(link.port()?.into()),
            "local_host" => Variant::Text(link.way()?.local.ip().to_canonical().to_string()),
            "ssh_cert_encoded" => Variant::Bytes(lock(&self.kept).credential.as_ref()?.encoded.clone()),
            _ => return None,
        })
    }

    /// Whether a member may be set now.
    ///
    /// # Errors
    /// With the code that its row names.
    fn may_change(&self, member: &Member) -> Result<(), Error> {
        let link = lock(&self.link);
        let when =
            [(link.is_listening(), Refused::WhileListening), (link.is_in_use(), Refused::WhileConnected)];
        let refused = when
            .into_iter()
            .find_map(|(is_so, when)| if is_so { Some((when, member.refuses(when)?)) } else { None });
        match refused {
            Some((when, code)) => Err(Error::of(crate::error::group_of(when), code)),
            None => Ok(()),
        }
    }

    /// Looks for the key to log on with.
    fn choose(&self, wanted: &Wanted<'_>) -> Result<(), Error> {
        let found = match wanted {
            Wanted::Subject("") | Wanted::Certificate([]) => Ok(None),
            wanted => resolve::find(&lock(&self.store), wanted),
        };
        let (found, result) = match found {
            Ok(found) => (found, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let subject = found.as_ref().map(|found| found.subject.clone()).unwrap_or_default();
        lock(&self.kept).credential = found;
        if let Some(member) = Member::property("ssh_cert_subject") {
            lock(&self.store).set(&member, Variant::Text(subject));
        }
        result
    }

    /// Has what was set during a connection hold for it.
    pub(crate) fn raise_max_window(&self, tunnel: &Tunnel) {
        let bytes = lock(&self.store).number_if_set("MaxWindowSize");
        if let Some(bytes) = bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
            tunnel.raise_max_window(bytes);
        }
    }

    fn put(&self, member: &Member, value: Variant) -> Result<(), Error> {
        if member.name == "MaxWindowSize" && lock(&self.link).is_connected() {
            let now = lock(&self.store).number(member.name);
            if value.as_int().is_some_and(|value| value < now) {
                return Err(Error::invalid("MaxWindowSize only grows while there is a connection."));
            }
        }
        lock(&self.store).set(member, value);
        if member.name == "MaxWindowSize"
            && let Some(tunnel) = lock(&self.link).tunnel()
        {
            self.raise_max_window(tunnel);
        }
        if matches!(member.name, "LogLevel" | "MaskSensitive") {
            self.adjust_trace();
        }
        if let (Some(id), "ChannelDataEOL" | "MaxChannelDataLength") = (member.index, member.name) {
            let wanted = self.channel_rules(id).is_some();
            if let Some(client) = self.clients.of_id(id) {
                client.tell_of_channel(wanted);
            }
        }
        Ok(())
    }
}

/// Of the build.
const FEATURES: &[&str] = if cfg!(feature = "openssl") { &["openssl"] } else { &[] };

fn property(name: &str, scope: Scope) -> Result<Member, Error> {
    let row =
        crate::property(name).ok_or_else(|| Error::invalid(format!("There is no property `{name}`.")))?;
    if row.scope != scope {
        let problem = match scope {
            Scope::Component => "is a property of each client; say of which",
            Scope::Client => "is a property of the tunnel, not of a client",
        };
        return Err(Error::invalid(format!("`{name}` {problem}.")));
    }
    Member::property(name).ok_or_else(|| Error::invalid(format!("There is no property `{name}`.")))
}

fn writable(member: &Member) -> Result<(), Error> {
    match member.access {
        Access::ReadWrite | Access::WriteOnly => Ok(()),
        Access::ReadOnly | Access::Action => Err(Error::invalid(format!("{} cannot be set.", member.name))),
    }
}

/// What only makes sense as a whole is looked at when it is set.
fn check(name: &str, value: &Variant) -> Result<(), Error> {
    match (name, value) {
        ("AllowedClients" | "BlockedClients", Variant::Text(_)) => {
            let mut store = Store::default();
            if let Ok(member) = Member::setting(name) {
                store.set(&member, value.clone());
            }
            access(&store).map(drop)
        }
        ("ssh_accept_server_host_key_encoded", Variant::Bytes(key)) => trust::check_key(name, key),
        ("SSHAcceptServerCAKey", Variant::Text(key)) => trust::check_key(name, key.as_bytes()),
        ("CodePage", Variant::Int(number)) => text::of(*number).map(drop),
        ("MaxLineLength", Variant::Int(length)) if *length < 256 => {
            Err(Error::invalid("MaxLineLength is at least 256."))
        }
        ("UseInternalSecurityAPI", Variant::Bool(on)) => cryptography::check_internal(*on),
        _ => Ok(()),
    }
}

fn read(client: &Client, inner: &Inner, name: &str) -> Option<Variant> {
    let options = lock(&client.options);
    Some(match name {
        "client_accept_data" => Variant::Bool(options.accept_data),
        "client_bytes_sent" if options.timeout > 0 => Variant::Int(0),
        "client_bytes_sent" => {
            let queued = client.adopted.get().map_or(0, |adopted| adopted.queued() as u64);
            Variant::Int(i64::try_from(options.bytes_taken.saturating_sub(queued)).unwrap_or(i64::MAX))
        }
        "client_connected" => Variant::Bool(client.is_connected()),
        "client_connection_id" => Variant::Text(client.id.to_string()),
        "client_eol" => Variant::Bytes(options.eol.clone()),
        "client_idle_timeout" => Variant::Int(options.idle_timeout),
        "client_local_address" => Variant::Text(client.local.ip().to_canonical().to_string()),
        "client_ready_to_send" => {
            Variant::Bool(client.is_connected() && (options.ready_to_send || client.room() > 0))
        }
        "client_record_length" => {
            Variant::Int(options.record_length.unwrap_or_else(|| lock(&inner.store).number("RecordLength")))
        }
        "client_remote_host" => Variant::Text(client.peer.ip().to_canonical().to_string()),
        "client_remote_port" => Variant::Int(client.peer.port().into()),
        "client_single_line_mode" => Variant::Bool(options.single_line_mode),
        "client_timeout" => Variant::Int(options.timeout),
        "client_user_data" => Variant::Bytes(options.user_data.clone()),
        _ => return None,
    })
}
