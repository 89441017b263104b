//! From the command line and its surroundings to the library's settings. Here files are read.

use std::{env, fs, num::NonZeroU64, path::Path, time::Duration};

use underpass::{
    Access, Builder, Credentials, Destination, Error, Identity, KeyUri, PacketTrace, Proxy, Secret, Settings,
    TraceSwitch, UriError, UserCertificate, keys::StoredKey,
};
use underpass_config::{Surroundings, host_name};

use crate::{
    args::{Args, Forwards, HostKey, Limits, Login, Protocol, ReconnectArgs},
    hops,
    paths::Paths,
};

/// What surrounds the command.
pub(crate) struct Environment<'a> {
    machine: &'a dyn Surroundings,
    password: Option<Secret>,
    pub(crate) passphrase: Option<Secret>,
    pin: Option<Secret>,
}

impl<'a> Environment<'a> {
    /// Looks around.
    pub(crate) fn read(machine: &'a dyn Surroundings) -> Self {
        let secret = |name| env::var_os(name).map(|value| Secret::new(value.as_encoded_bytes()));
        Self {
            machine,
            password: secret("UNDERPASS_PASSWORD"),
            passphrase: secret("UNDERPASS_PASSPHRASE"),
            pin: secret("UNDERPASS_PIN"),
        }
    }
}

/// The settings that the command line means.
pub(crate) fn resolve(args: &Args, environment: &Environment<'_>) -> Result<Settings, Error> {
    let mut settings = one_server(args, environment)?;
    let hops = hops::args_of_all(args, environment.machine)?;
    for hop in &hops {
        settings.jumps.push(one_server(hop, environment)?);
    }
    if !hops.is_empty() {
        // The first hop has it: it is what is dialled.
        settings.proxy = Proxy::Direct;
    }
    Builder::from(settings).settings()
}

fn one_server(args: &Args, environment: &Environment<'_>) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    server(&mut settings, args, environment.machine)?;
    algorithms(&mut settings, args);
    protocol(&mut settings, &args.protocol);
    liveness(&mut settings, args);
    forwards(&mut settings, &args.forwards);
    reconnect(&mut settings, &args.reconnect);
    limits(&mut settings, &args.limits)?;
    sockets(&mut settings, args);
    settings.kerberos = args.kerberos.clone();
    settings.host_based = args.host_based.clone();
    methods(&mut settings, &args.login)?;
    let paths = Paths::new(args, environment.machine)?;
    login(&mut settings, &args.login, &paths, environment)?;
    host_key(&mut settings, &args.host_key, &paths)?;
    way(&mut settings, args, &paths)?;
    let of_packets = Some(args.output.of_packets()).filter(|trace| *trace != PacketTrace::Off);
    settings.packet_trace = of_packets.map(TraceSwitch::from);
    Ok(settings)
}

fn forwards(settings: &mut Settings, forwards: &Forwards) {
    settings.forwards.clone_from(&forwards.forwards);
    put(&mut settings.exit_on_forward_failure, forwards.exit_on_failure);
    put(&mut settings.gateway_ports, forwards.gateway_ports);
    put(&mut settings.unlink_sockets, forwards.unlink);
    put(&mut settings.exclusive_bind, forwards.exclusive_bind);
}

fn reconnect(settings: &mut Settings, args: &ReconnectArgs) {
    let reconnect = &mut settings.reconnect;
    put(&mut reconnect.when, args.when);
    put(&mut reconnect.backoff, args.backoff);
    put(&mut reconnect.refused, args.refused);
    reconnect.max_attempts = args.attempts.or(reconnect.max_attempts);
    put(&mut settings.waiting_connections, args.waiting.map(|most| most as usize));
    put(&mut settings.waiting_timeout, args.waiting_timeout);
    settings.probe.clone_from(&args.probe);
}

fn limits(settings: &mut Settings, limits: &Limits) -> Result<(), Error> {
    settings.clients.allowed.clone_from(&limits.allowed_clients);
    put(&mut settings.clients.blocked, limits.blocked_clients.clone());
    put(&mut settings.destinations, limits.destinations.clone());
    put(&mut settings.max_connections, limits.max_connections.map(|most| most as usize));
    settings.idle_timeout = limits.idle;
    settings.rate_limit = limits.rate.and_then(NonZeroU64::new);
    settings.tunnel_rate_limit = limits.total_rate.and_then(NonZeroU64::new);
    settings.tunnel_rate_limit_out = limits.total_rate_out.and_then(NonZeroU64::new);
    put(&mut settings.open_timeout, limits.open_timeout);
    if let Some(file) = &limits.proxy_users {
        settings.proxy_access = Access::Accounts(read_users(file)?.into());
    }
    Ok(())
}

fn sockets(settings: &mut Settings, args: &Args) {
    settings.server_socket = args.sockets.server.clone();
    settings.client_socket = args.sockets.client.clone();
    put(&mut settings.server_socket.keepalive, args.liveness.tcp_keepalive);
    settings.local_address = args.server.local_address;
    put(&mut settings.local_port, args.server.local_port);
}

/// How the server is reached. Of several ways the closest to the network counts, a command first.
fn way(settings: &mut Settings, args: &Args, paths: &Paths<'_>) -> Result<(), Error> {
    put(&mut settings.proxy_exceptions, args.server.proxy_exceptions.clone());
    let command = args.server.proxy_command.as_deref().filter(|command| *command != "none");
    if let Some(command) = command {
        settings.proxy = Proxy::Command(paths.text("ProxyCommand", command)?);
    } else if let Some(proxy) = &args.server.proxy {
        settings.proxy = proxy.clone().with_headers(args.server.proxy_headers.clone());
    }
    Ok(())
}

fn server(settings: &mut Settings, args: &Args, machine: &dyn Surroundings) -> Result<(), Error> {
    let server = &args.server;
    settings.host = host(args)?;
    settings.user = args.login.user.clone().or_else(|| machine.local().user.clone());
    put(&mut settings.port, server.port);
    put(&mut settings.address_family, server.family);
    // As in ssh, which counts the handshake too.
    put(&mut settings.connect_timeout, server.connect_timeout);
    put(&mut settings.handshake_timeout, server.connect_timeout);
    Ok(())
}

/// The host to connect to.
pub(crate) fn host(args: &Args) -> Result<String, Error> {
    let Some(Destination { host, .. }) = &args.destination else {
        return Err(Error::configuration("the destination is missing"));
    };
    host_name(host, args.server.host_name.as_deref())
        .map_err(|error| Error::configuration(format!("HostName: {error}")))
}

fn algorithms(settings: &mut Settings, args: &Args) {
    let algorithms = args.algorithms.clone();
    settings.ciphers = algorithms.ciphers;
    settings.macs = algorithms.macs;
    settings.kex_algorithms = algorithms.kex;
    settings.host_key_algorithms = algorithms.host_keys;
    settings.pubkey_algorithms = algorithms.public_keys;
    put(&mut settings.unlisted_signatures, algorithms.unlisted);
    if algorithms.compression == Some(true) {
        // What ssh asks for, in its order.
        settings.compression = Some("zlib@openssh.com,zlib,none".to_owned());
    }
}

fn protocol(settings: &mut Settings, protocol: &Protocol) {
    let own = protocol.clone();
    settings.ciphers_out = own.ciphers_out;
    settings.ciphers_in = own.ciphers_in;
    settings.macs_out = own.macs_out;
    settings.macs_in = own.macs_in;
    settings.compression_out = own.compression_out;
    settings.compression_in = own.compression_in;
    settings.identification = own.identification;
    put(&mut settings.cryptography, own.cryptography);
    put(&mut settings.strict_kex, own.strict_kex);
    put(&mut settings.group_sizes, own.group_sizes);
    put(&mut settings.server_identification, own.server_identification);
    put(&mut settings.max_window, own.max_window);
    put(&mut settings.max_packet, own.max_packet);
}

fn liveness(settings: &mut Settings, args: &Args) {
    let liveness = &args.liveness;
    let interval =
        liveness.interval.map(|interval| Some(interval).filter(|interval| *interval > Duration::ZERO));
    put(&mut settings.keepalive_interval, interval);
    put(&mut settings.keepalive_count, liveness.count);
    if let Some(limit) = liveness.rekey {
        settings.rekey_bytes = limit.bytes;
        settings.rekey_interval = limit.interval;
    }
}

/// The methods that are both preferred and not switched off.
fn methods(settings: &mut Settings, login: &Login) -> Result<(), Error> {
    put(&mut settings.preferred_authentications, login.preferred.clone());
    let switches = [
        ("publickey", login.public_key),
        ("password", login.password),
        ("keyboard-interactive", login.keyboard_interactive),
    ];
    let off = |method: &String| switches.iter().any(|(name, on)| name == method && *on == Some(false));
    settings.preferred_authentications.retain(|method| !off(method));
    let (kerberos, host_based) = (settings.kerberos.authentication, settings.host_based.authentication);
    let on = |method: &String| match method.as_str() {
        "hostbased" => host_based,
        name => kerberos || !name.starts_with("gssapi-"),
    };
    if !settings.preferred_authentications.iter().any(on) {
        return Err(Error::configuration("no authentication method is left")
            .with_advice("leave at least one on, of those in PreferredAuthentications"));
    }
    Ok(())
}

fn login(
    settings: &mut Settings,
    login: &Login,
    paths: &Paths<'_>,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    put(&mut settings.batch, login.batch);
    put(&mut settings.number_of_password_prompts, login.password_prompts);
    let named = !login.identity_files.is_empty();
    settings.default_identities = !named;
    put(&mut settings.identities_only, login.identities_only);
    put(&mut settings.agent, login.agent);
    if let Some(socket) = &login.agent_socket {
        settings.agent_socket = paths.agent_socket(socket)?;
    }
    settings.identities = identities(&login.identity_files, paths)?;
    let provider = login.pkcs11_provider.as_slice();
    settings.pkcs11_provider = paths.all("PKCS11Provider", provider)?.into_iter().next();
    let files =
        paths.all("CertificateFile", &login.certificate_files)?.into_iter().map(UserCertificate::File);
    let lines = login.certificates.iter().cloned().map(UserCertificate::Line);
    settings.certificates = files.chain(lines).collect();
    settings.host_based.keys = paths.all("HostbasedKeyFile", &login.host_key_files)?;
    settings.passphrase = environment.passphrase.clone();
    settings.pin = environment.pin.clone();
    settings.password = match &login.password_file {
        Some(file) => Some(read_password(file)?),
        None => environment.password.clone(),
    };
    Ok(())
}

fn identities(named: &[String], paths: &Paths<'_>) -> Result<Vec<Identity>, Error> {
    let mut identities = Vec::new();
    for name in named {
        if KeyUri::is_one(name) {
            let uri = name.parse().map_err(|mistake: UriError| Error::configuration(mistake.to_string()))?;
            identities.push(Identity::Token(Box::new(uri)));
        } else if StoredKey::is_one(name) {
            identities.push(Identity::Stored(name.parse()?));
        } else {
            let files = paths.all("IdentityFile", std::slice::from_ref(name))?;
            identities.extend(files.into_iter().map(Identity::File));
        }
    }
    Ok(identities)
}

fn host_key(settings: &mut Settings, host_key: &HostKey, paths: &Paths<'_>) -> Result<(), Error> {
    put(&mut settings.host_key_policy, host_key.policy);
    put(&mut settings.fingerprint_hash, host_key.fingerprint_hash);
    settings.host_key_alias.clone_from(&host_key.alias);
    let files = |keyword, files: &Option<Vec<String>>| {
        files.as_ref().map(|files| paths.all(keyword, files)).transpose()
    };
    put(&mut settings.user_known_hosts, files("UserKnownHostsFile", &host_key.user_files)?);
    put(&mut settings.global_known_hosts, files("GlobalKnownHostsFile", &host_key.global_files)?);
    put(&mut settings.ca_certificates, files("CACertificateFile", &host_key.ca_files)?);
    Ok(())
}

/// Replaces a default by what was set.
fn put<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// Reads the users of a proxy, `user:password` a line.
fn read_users(file: &Path) -> Result<Vec<Credentials>, Error> {
    let content = read_secret(file, "users")?;
    let mut users = Vec::new();
    let lines = content.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let problem =
            |problem: &str| Error::configuration(format!("line {} of {}: {problem}", at + 1, file.display()));
        let line = std::str::from_utf8(line).map_err(|_| problem("it is not Unicode"))?;
        let (user, password) = line.split_once(':').ok_or_else(|| problem("it is not `user:password`"))?;
        users.push(Credentials::new(user, password).map_err(|error| problem(&error.to_string()))?);
    }
    Ok(users)
}

/// Reads a password that nobody else can read.
fn read_password(file: &Path) -> Result<Secret, Error> {
    let content = read_secret(file, "password")?;
    let line = content.expose();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match line.strip_suffix(b"\r").unwrap_or(line) {
        b"" => Err(Error::configuration(format!("the password file {}: it is empty", file.display()))),
        password => Ok(Secret::new(password)),
    }
}

/// Reads a file that nobody else can read.
fn read_secret(file: &Path, what: &str) -> Result<Secret, Error> {
    let problem =
        |problem: String| Error::configuration(format!("the {what} file {}: {problem}", file.display()));
    let metadata = fs::metadata(file).map_err(|error| problem(error.to_string()))?;
    if open_to_others(&metadata) {
        return Err(problem("others have access to it".to_owned())
            .with_advice(format!("take it from them: `chmod 600 {}`", file.display())));
    }
    if metadata.len() > MAX_SECRET_LEN {
        return Err(problem(format!("it is longer than {MAX_SECRET_LEN} bytes")));
    }
    Ok(Secret::new(fs::read(file).map_err(|error| problem(error.to_string()))?))
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.is_file() && metadata.permissions().mode() & 0o077 != 0
}

/// Elsewhere permissions are not in the file's mode.
#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// The longest file of secrets: no server takes longer passwords, and a wrong file is found out.
const MAX_SECRET_LEN: u64 = 4096;

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use underpass::{
        AddressFamily, Cryptography, GroupSizes, HostBased, HostKeyPolicy, Kerberos, KerberosCredentials,
        StrictKex,
    };

    use super::*;
    use crate::{machine::fake::Fake, parse::read};

    fn settings(options: &[&str]) -> Result<Settings, Error> {
        let words = options.iter().copied().chain(["-L", "1:a:2", "me@bastion"]);
        let environment = Environment {
            machine: &Fake::new(),
            password: Some("from the environment".into()),
            passphrase: Some("open".into()),
            pin: Some("4321".into()),
        };
        resolve(&read(words.map(OsString::from))?.finish()?, &environment)
    }

    fn files(identities: &[Identity]) -> Vec<String> {
        identities.iter().map(|identity| format!("{identity:?}")).collect()
    }

    #[test]
    fn without_options_the_librarys_defaults_hold() {
        let resolved = settings(&[]).unwrap();
        let default = Settings::default();
        assert_eq!((resolved.host.as_str(), resolved.port), ("bastion", 22));
        assert_eq!(resolved.user.as_deref(), Some("me"));
        assert_eq!(resolved.host_key_policy, HostKeyPolicy::Strict);
        assert_eq!(resolved.keepalive_interval, default.keepalive_interval);
        assert_eq!(resolved.preferred_authentications, default.preferred_authentications);
        assert!(resolved.default_identities && resolved.identities.is_empty());
    }

    #[test]
    fn options_reach_their_settings() {
        let options = "-p 2222 -6 -o HostName=192.0.2.1 -o ConnectTimeout=7 -o ServerAliveInterval=0 \
                       -o ServerAliveCountMax=9 -o TCPKeepAlive=no -o ExitOnForwardFailure=no -o BatchMode=yes \
                       -o NumberOfPasswordPrompts=1 -o StrictHostKeyChecking=accept-new -o HostKeyAlias=b \
                       -c aes128-ctr";
        let resolved = settings(&options.split_whitespace().collect::<Vec<_>>()).unwrap();
        assert_eq!((resolved.host.as_str(), resolved.port), ("192.0.2.1", 2222));
        assert_eq!(resolved.address_family, AddressFamily::V6);
        assert_eq!(resolved.connect_timeout, Duration::from_secs(7));
        assert_eq!(resolved.handshake_timeout, Duration::from_secs(7));
        assert_eq!((resolved.keepalive_interval, resolved.keepalive_count), (None, 9));
        assert!(!resolved.server_socket.keepalive && !resolved.exit_on_forward_failure && resolved.batch);
        assert_eq!(resolved.number_of_password_prompts, 1);
        assert_eq!(resolved.host_key_policy, HostKeyPolicy::AcceptNew);
        assert_eq!(resolved.host_key_alias.as_deref(), Some("b"));
        assert_eq!(resolved.ciphers.as_deref(), Some("aes128-ctr"));
    }

    #[test]
    fn compression_is_asked_for_as_ssh_does() {
        for (options, expected) in [
            (&["-C"][..], Some("zlib@openssh.com,zlib,none")),
            (&["-o", "Compression=yes"], Some("zlib@openssh.com,zlib,none")),
            (&["-o", "Compression=no"], None),
            (&[], None),
        ] {
            assert_eq!(settings(options).unwrap().compression.as_deref(), expected, "{options:?}");
        }
    }

    #[test]
    fn what_the_protocol_leaves_open_can_be_set() {
        let options = "--crypto openssl --ciphers-out aes256-ctr --macs-in hmac-sha2-512 --strict-kex required --dh-group-sizes \
                       3072:4096:8192 --client-version SSH-2.0-Tunnel --server-version SSH-2.0-OpenSSH_* --max-window \
                       1M --max-packet 32K";
        let resolved = settings(&options.split_whitespace().collect::<Vec<_>>()).unwrap();
        assert_eq!((resolved.ciphers_out.as_deref(), resolved.ciphers_in), (Some("aes256-ctr"), None));
        assert_eq!(resolved.macs_in.as_deref(), Some("hmac-sha2-512"));
        assert_eq!(
            (resolved.strict_kex, resolved.cryptography),
            (StrictKex::Required, Cryptography::OpenSsl)
        );
        assert_eq!(resolved.group_sizes, GroupSizes::new(3072, 4096, 8192).unwrap());
        assert_eq!(resolved.identification.as_deref(), Some("SSH-2.0-Tunnel"));
        assert_eq!(resolved.server_identification, "SSH-2.0-OpenSSH_*");
        assert_eq!((resolved.max_window, resolved.max_packet), (1 << 20, 32 << 10));
        for wrong in [["--dh-group-sizes", "4096:2048:8192"], ["--strict-kex", "3"], ["--max-packet", "1G"]] {
            assert!(settings(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_rekey_limit_sets_amount_and_age() {
        let resolved = settings(&["-o", "RekeyLimit=1M 1h"]).unwrap();
        assert_eq!(resolved.rekey_bytes, Some(1 << 20));
        assert_eq!(resolved.rekey_interval, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn the_agent_is_where_the_option_says() {
        let socket = |value: &str| settings(&["-o", &format!("IdentityAgent={value}")]).unwrap().agent_socket;
        assert_eq!(socket("~/.agent"), Some("/home/me/.agent".into()));
        assert_eq!(socket("NONE"), None);
        // No variable is set.
        assert_eq!((socket("SSH_AUTH_SOCK"), socket("$AGENT")), (None, None));
    }

    #[test]
    fn keys_on_tokens_are_named_by_uris_and_their_module_by_an_option() {
        let words = ["-I", "/lib/p11.so", "-i", "pkcs11:object=%41?pin-value=1", "-i", "key"];
        let resolved = settings(&words).unwrap();
        let [Identity::Token(uri), Identity::File(_)] = &resolved.identities[..] else {
            panic!("{:?}", resolved.identities);
        };
        assert_eq!(uri.object.as_deref(), Some("A"));
        assert_eq!(resolved.pkcs11_provider, Some("/lib/p11.so".into()));
        assert_eq!(settings(&["-o", "PKCS11Provider=none"]).unwrap().pkcs11_provider, None);
        let error = settings(&["-i", "pkcs11:objct=a"]).unwrap_err().to_string();
        assert!(error.contains("objct"), "{error}");
    }

    #[test]
    fn keys_of_the_system_are_named_by_their_store_and_subject() {
        let named = |text: &str| settings(&["-i", text]).map(|resolved| resolved.identities);
        let [Identity::Stored(key)] = &named("store:user/Work:CN=me").unwrap()[..] else { panic!() };
        assert_eq!((key.name.as_str(), key.subject.as_str()), ("Work", "CN=me"));
        assert_eq!(files(&named("./store:user:x").unwrap()), ["File(./store:user:x)"]);
        assert!(named("store:users:x").unwrap_err().to_string().contains("users"));
    }

    #[test]
    fn a_named_key_leaves_the_default_keys_out() {
        let named = settings(&["-i", "~/%r@%h:%p%%"]).unwrap();
        assert!(!named.default_identities);
        assert_eq!(files(&named.identities), ["File(/home/me/me@bastion:22%)"]);
        let only = settings(&["-o", "IdentitiesOnly=yes"]).unwrap();
        assert!(only.default_identities && only.identities_only);
        let none = settings(&["-i", "none"]).unwrap();
        assert!(!none.default_identities && none.identities.is_empty());
    }

    #[test]
    fn paths_that_cannot_be_completed_are_refused() {
        for path in ["~you/key", "key%", "key%x", "%é"] {
            let error = settings(&["-i", path]).expect_err(path).to_string();
            assert!(error.contains(path), "{error}");
        }
    }

    #[test]
    fn known_hosts_files_can_be_several_or_none() {
        let resolved =
            settings(&["-o", "UserKnownHostsFile=~/a \"/b c\"", "-o", "GlobalKnownHostsFile=none"]);
        let resolved = resolved.unwrap();
        assert_eq!(resolved.user_known_hosts, [Path::new("/home/me/a"), Path::new("/b c")]);
        assert!(resolved.global_known_hosts.is_empty());
    }

    #[test]
    fn methods_can_be_switched_off_but_not_all() {
        let left = settings(&["-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no"]);
        assert_eq!(
            left.unwrap().preferred_authentications,
            ["gssapi-keyex", "gssapi-with-mic", "hostbased", "publickey"]
        );
        let none = settings(&["-o", "PreferredAuthentications=password", "-o", "PasswordAuthentication=no"]);
        assert!(none.unwrap_err().to_string().contains("no authentication method is left"));
        let off =
            "-o PubkeyAuthentication=no -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no";
        let off: Vec<_> = off.split(' ').collect();
        assert!(settings(&off).is_err());
        for on in ["GSSAPIAuthentication=yes", "HostbasedAuthentication=yes"] {
            assert!(settings(&[&off[..], &["-o", on]].concat()).is_ok());
        }
    }

    #[test]
    fn kerberos_reaches_its_settings() {
        assert_eq!(settings(&[]).unwrap().kerberos, Kerberos::default());
        let options = "-o GSSAPIAuthentication=yes -o GSSAPIKeyExchange=yes -o GSSAPIKexAlgorithms=gss-group14-sha1- -o \
                       GSSAPIDelegateCredentials=yes -o GSSAPIClientIdentity=you -o GSSAPIServerIdentity=b.org \
                       --kerberos-realm B.ORG --kerberos-credentials password --gssapi-library /lib/x.so";
        let options: Vec<_> = options.split_whitespace().collect();
        let kerberos = settings(&options).unwrap().kerberos;
        assert!(kerberos.authentication && kerberos.key_exchange && kerberos.delegate);
        assert_eq!(kerberos.key_exchanges.as_deref(), Some("gss-group14-sha1-"));
        assert_eq!((kerberos.client.as_deref(), kerberos.server.as_deref()), (Some("you"), Some("b.org")));
        assert_eq!(kerberos.realm.as_deref(), Some("B.ORG"));
        assert_eq!(kerberos.credentials, KerberosCredentials::Password);
        assert_eq!(kerberos.library.as_deref(), Some(Path::new("/lib/x.so")));
        assert!(settings(&["--kerberos-credentials", "magic"]).is_err());
    }

    #[test]
    fn host_based_logins_reach_their_settings() {
        assert_eq!(settings(&[]).unwrap().host_based, HostBased::default());
        let options = "-o HostbasedAuthentication=yes -o HostbasedKeyFile=~/a -o HostbasedKeyFile=/b -o \
                       HostbasedAcceptedAlgorithms=ssh-ed25519 -o HostbasedClientHost=c.org -o HostbasedClientUser=you";
        let options: Vec<_> = options.split_whitespace().collect();
        let host_based = settings(&options).unwrap().host_based;
        assert!(host_based.authentication);
        assert_eq!(host_based.keys, [Path::new("/home/me/a"), Path::new("/b")]);
        assert_eq!(host_based.algorithms.as_deref(), Some("ssh-ed25519"));
        assert_eq!(
            (host_based.host.as_deref(), host_based.local_user.as_deref()),
            (Some("c.org"), Some("you"))
        );
    }

    #[test]
    fn secrets_come_from_the_environment() {
        let resolved = settings(&[]).unwrap();
        assert_eq!(resolved.password, Some("from the environment".into()));
        assert_eq!((resolved.passphrase, resolved.pin), (Some("open".into()), Some("4321".into())));
    }

    #[test]
    fn what_the_library_refuses_is_refused() {
        assert!(settings(&["-l", "-x"]).unwrap_err().to_string().contains("`-x`"));
        assert!(settings(&["-o", "ServerAliveCountMax=0"]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_password_file_must_belong_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = env::temp_dir().join(format!("underpass-password-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("password");
        let password = |content: &str, mode| {
            fs::write(&file, content).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            settings(&["--password-file", file.to_str().unwrap()]).map(|settings| settings.password.unwrap())
        };
        assert_eq!(password("hunter2\n", 0o600).unwrap(), "hunter2".into());
        assert_eq!(password(" two words \r\n", 0o400).unwrap(), " two words ".into());
        for mode in [0o604, 0o640, 0o644] {
            let error = password("hunter2\n", mode).unwrap_err();
            assert!(error.to_string().contains("others have access"), "{mode:o}: {error}");
            assert!(error.advice().unwrap().contains("chmod 600"));
        }
        assert!(password("\n", 0o600).unwrap_err().to_string().contains("it is empty"));
        assert!(password(&"x".repeat(4097), 0o600).unwrap_err().to_string().contains("longer than 4096"));
        fs::remove_dir_all(&directory).unwrap();
        assert!(settings(&["--password-file", file.to_str().unwrap()]).is_err(), "the file is gone");
    }
}
