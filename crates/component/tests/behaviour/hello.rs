//! What the server hears first: who the client is, and what it offers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use underpass_component::model::{Initial, Words};
use underpass_component::{Error, SshTunnel, table};

use crate::support::{DEADLINE, gateway, tunnel_through};

/// What a client says before keys are agreed on.
struct Hello {
    version: String,
    /// The lists of its KEXINIT (RFC 4253 section 7.1).
    lists: Vec<Vec<String>>,
    /// Its next packet, if it goes on.
    next: Vec<u8>,
    result: Error,
}

const KEX: usize = 0;
const HOST_KEY: usize = 1;
const CIPHERS: [usize; 2] = [2, 3];
const MACS: [usize; 2] = [4, 5];
const COMPRESSION: [usize; 2] = [6, 7];

/// Has a tunnel connect to a server that calls itself `version` and offers one key exchange, and listens.
fn hear(version: &str, kex: &str, set: impl FnOnce(&SshTunnel)) -> Hello {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (version, kex) = (version.to_owned(), kex.to_owned());
    let server = thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        listen(&stream, &version, &kex)
    });
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(address.ip().to_string()).unwrap();
    tunnel.set_ssh_port(address.port().into()).unwrap();
    tunnel.set_ssh_user("me").unwrap();
    set(&tunnel);
    let result = tunnel.connect().unwrap_err();
    let (version, kexinit, next) = server.join().unwrap();
    Hello { version, lists: lists(&kexinit), next, result }
}

fn listen(mut stream: &TcpStream, version: &str, kex: &str) -> (String, Vec<u8>, Vec<u8>) {
    write!(stream, "{version}\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let kexinit = packet(&mut reader);
    stream.write_all(&sealed(&offer(kex))).unwrap();
    (line.trim_end().to_owned(), kexinit, packet(&mut reader))
}

/// The payload of a packet that is not encrypted (RFC 4253 section 6); empty at the end.
fn packet(reader: &mut impl std::io::Read) -> Vec<u8> {
    let mut header = [0; 5];
    if reader.read_exact(&mut header).is_err() {
        return Vec::new();
    }
    let length = u32::from_be_bytes(header[..4].try_into().unwrap());
    let mut rest = Vec::new();
    reader.take(u64::from(length - 1)).read_to_end(&mut rest).unwrap();
    rest.truncate(rest.len().saturating_sub(header[4].into()));
    rest
}

fn sealed(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    [&length.to_be_bytes()[..], &[u8::try_from(padding).unwrap()], payload, &vec![0; padding]].concat()
}

fn offer(kex: &str) -> Vec<u8> {
    let mut message = vec![20; 17];
    let (cipher, mac) = ("aes128-ctr", "hmac-sha2-256");
    for list in [kex, "ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", ""] {
        message.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        message.extend(list.as_bytes());
    }
    message.extend([0; 5]);
    message
}

fn lists(kexinit: &[u8]) -> Vec<Vec<String>> {
    let mut rest = kexinit.get(17..).unwrap_or_default();
    let mut next = || {
        let (length, after) = rest.split_at_checked(4)?;
        let (list, after) = after.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        rest = after;
        Some(std::str::from_utf8(list).unwrap().split(',').map(str::to_owned).collect())
    };
    (0..8).map_while(|_| next()).collect()
}

/// Hears a tunnel that is told so.
fn told(set: impl FnOnce(&SshTunnel)) -> Hello {
    hear("SSH-2.0-Listener", "none-such", set)
}

/// What a list offers, but for what is no algorithm.
fn algorithms(hello: &Hello, list: usize) -> Vec<&str> {
    let is_one = |name: &&str| !name.starts_with("kex-strict-") && *name != "ext-info-c";
    hello.lists[list].iter().map(String::as_str).filter(is_one).collect()
}

fn default_of(words: &Words) -> Vec<&'static str> {
    let Initial::Is(list) = words.default else { panic!("it has one") };
    list.to_vec()
}

#[test]
fn defaults_are_offered_in_their_order() {
    let hello = told(|_| {});
    // Kerberos is offered by the modes that use it.
    let kex: Vec<_> = default_of(&table::KEX).into_iter().filter(|name| !name.starts_with("gss-")).collect();
    assert_eq!(algorithms(&hello, KEX), kex);
    assert_eq!(algorithms(&hello, HOST_KEY), default_of(&table::HOST_KEY));
    for direction in [0, 1] {
        assert_eq!(algorithms(&hello, CIPHERS[direction]), default_of(&table::ENCRYPTION));
        assert_eq!(algorithms(&hello, MACS[direction]), default_of(&table::MAC));
        assert_eq!(algorithms(&hello, COMPRESSION[direction]), default_of(&table::COMPRESSION));
    }
    assert_eq!(hello.result.code(), 1003);
}

#[test]
fn lists_that_are_set_are_offered_in_their_order() {
    let hello = told(|tunnel| {
        tunnel.set_ssh_encryption_algorithms("aes128-gcm@openssh.com, no-such, aes256-ctr").unwrap();
        tunnel.set_ssh_compression_algorithms("zlib@openssh.com,none").unwrap();
        tunnel.config("SSHKeyExchangeAlgorithms=ecdh-sha2-nistp256,curve25519-sha256").unwrap();
        tunnel.config("SSHMacAlgorithms=umac-128@openssh.com,hmac-sha1").unwrap();
        tunnel.config("SSHPublicKeyAlgorithms=ssh-rsa,ssh-ed25519").unwrap();
    });
    assert_eq!(algorithms(&hello, KEX), ["ecdh-sha2-nistp256", "curve25519-sha256"]);
    assert_eq!(algorithms(&hello, HOST_KEY), ["ssh-rsa", "ssh-ed25519"]);
    for direction in [0, 1] {
        assert_eq!(algorithms(&hello, CIPHERS[direction]), ["aes128-gcm@openssh.com", "aes256-ctr"]);
        assert_eq!(algorithms(&hello, MACS[direction]), ["umac-128@openssh.com", "hmac-sha1"]);
        assert_eq!(algorithms(&hello, COMPRESSION[direction]), ["zlib@openssh.com", "none"]);
    }
}

#[test]
fn the_client_calls_itself_what_is_set() {
    let own = format!("SSH-2.0-Underpass_{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(|_| {}).version, own);
    let hello = told(|tunnel| {
        tunnel.config("ClientSSHVersionString=SSH-2.0-Ours_1.0 for tests").unwrap();
    });
    assert_eq!(hello.version, "SSH-2.0-Ours_1.0 for tests");
}

#[test]
fn the_strict_key_exchange_is_offered_unless_it_is_disabled() {
    for (level, offered) in [(0, false), (1, true), (2, true), (3, true)] {
        let hello = told(|tunnel| drop(tunnel.config(&format!("UseStrictKeyExchange={level}")).unwrap()));
        let has = |name: &str| hello.lists[KEX].iter().any(|offered| offered == name);
        assert_eq!(has("kex-strict-c-v00@openssh.com"), offered, "{level}");
    }
}

#[test]
fn a_group_of_the_preferred_size_is_asked_for() {
    for bits in [2048, 4096] {
        let hello = hear("SSH-2.0-Listener", "diffie-hellman-group-exchange-sha256", |tunnel| {
            tunnel.config(&format!("PreferredDHGroupBits={bits}")).unwrap();
        });
        // SSH_MSG_KEX_DH_GEX_REQUEST: the least, the preferred and the greatest (RFC 4419 section 3).
        assert_eq!(hello.next[0], 34);
        assert_eq!(hello.next[5..9], u32::to_be_bytes(bits), "{:?}", hello.next);
    }
    assert_eq!(SshTunnel::new().config("PreferredDHGroupBits=1000").unwrap_err().code(), 10022);
}

#[test]
fn a_server_of_another_version_is_refused() {
    let gateway = gateway();
    for (pattern, accepted) in
        [("*SSH-2.0-OpenSSH*", false), ("*SSH-1.99-*,SSH-2.0-Underpass*", true), ("*[u,U]nderpass*", true)]
    {
        let tunnel = tunnel_through(&gateway);
        tunnel.config(&format!("SSHVersionPattern={pattern}")).unwrap();
        let result = tunnel.connect();
        assert_eq!(result.map_err(|error| error.code()), if accepted { Ok(()) } else { Err(1002) });
    }
}
