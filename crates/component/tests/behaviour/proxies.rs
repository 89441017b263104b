//! Proxies on the way to the server.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use underpass_component::Error;
use underpass_testkit::server::Server;

use crate::support::{PASSWORD, Setup, USER, echo};

/// What a client has asked a proxy for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    protocol: &'static str,
    destination: String,
    credentials: Option<(String, String)>,
    /// Of HTTP, the whole of it.
    head: String,
}

/// A proxy of every kind, told apart by the first byte. Whatever it is asked for, it leads to one address.
struct Proxy {
    server: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
}

const CREDENTIALS: (&str, &str) = ("us/er@x", "pa:ss word%");

impl Proxy {
    fn to(address: SocketAddr, with_credentials: bool) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let record = asked.clone();
        let server = Server::start(move |stream| serve(stream, address, with_credentials, record.clone()));
        Self { server: server.unwrap(), asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    to: SocketAddr,
    with_credentials: bool,
    record: Arc<Mutex<Vec<Asked>>>,
) -> io::Result<()> {
    loop {
        let (asked, yes, no) = match stream.read_u8().await? {
            4 => (socks4(&mut stream).await?, vec![0, 90, 0, 0, 0, 0, 0, 0], vec![0, 91, 0, 0, 0, 0, 0, 0]),
            5 => {
                (socks5(&mut stream, with_credentials).await?, vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0], vec![1, 1])
            }
            first => (http(&mut stream, first).await?, YES.to_vec(), NO.to_vec()),
        };
        record.lock().unwrap().push(asked.clone());
        let expected = with_credentials.then(|| (CREDENTIALS.0.to_owned(), CREDENTIALS.1.to_owned()));
        if asked.credentials == expected {
            stream.write_all(&yes).await?;
            let mut onwards = TcpStream::connect(to).await?;
            return copy_bidirectional(&mut stream, &mut onwards).await.map(drop);
        }
        stream.write_all(&no).await?;
    }
}

const YES: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
const NO: &[u8] =
    b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n";

async fn until_zero(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await? {
            0 => return Ok(String::from_utf8(bytes).unwrap()),
            byte => bytes.push(byte),
        }
    }
}

async fn counted(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut bytes).await?;
    Ok(String::from_utf8(bytes).unwrap())
}

async fn ipv4(stream: &mut TcpStream) -> io::Result<[u8; 4]> {
    let mut address = [0; 4];
    stream.read_exact(&mut address).await?;
    Ok(address)
}

fn shown([a, b, c, d]: [u8; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

/// Behind its first byte.
async fn socks4(stream: &mut TcpStream) -> io::Result<Asked> {
    assert_eq!(stream.read_u8().await?, 1);
    let port = stream.read_u16().await?;
    let address = ipv4(stream).await?;
    until_zero(stream).await?;
    let (protocol, host) = match address {
        [0, 0, 0, _] => ("socks4a", until_zero(stream).await?),
        address => ("socks4", shown(address)),
    };
    Ok(Asked { protocol, destination: format!("{host}:{port}"), ..Asked::default() })
}

async fn socks5(stream: &mut TcpStream, with_credentials: bool) -> io::Result<Asked> {
    counted(stream).await?;
    let method = if with_credentials { 2 } else { 0 };
    stream.write_all(&[5, method]).await?;
    let credentials = match with_credentials {
        true => {
            assert_eq!(stream.read_u8().await?, 1);
            let credentials = (counted(stream).await?, counted(stream).await?);
            if (credentials.0.as_str(), credentials.1.as_str()) != CREDENTIALS {
                return Ok(Asked { protocol: "socks5", credentials: Some(credentials), ..Asked::default() });
            }
            stream.write_all(&[1, 0]).await?;
            Some(credentials)
        }
        false => None,
    };
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = match head {
        [5, 1, 0, 1] => shown(ipv4(stream).await?),
        [5, 1, 0, 3] => counted(stream).await?,
        other => panic!("{other:?}"),
    };
    let port = stream.read_u16().await?;
    Ok(Asked { protocol: "socks5", destination: format!("{host}:{port}"), credentials, ..Asked::default() })
}

async fn http(stream: &mut TcpStream, first: u8) -> io::Result<Asked> {
    let mut head = vec![first];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let destination = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
    let credentials = head.lines().find_map(|line| {
        let bytes = STANDARD.decode(line.strip_prefix("Proxy-Authorization: Basic ")?).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    });
    Ok(Asked { protocol: "http", destination, credentials, head })
}

/// A setup whose server is reached by a name through a proxy of this type.
fn through(firewall_type: i64, with_credentials: bool) -> (Setup, Proxy) {
    let setup = Setup::new();
    let proxy = Proxy::to(setup.gateway.address(), with_credentials);
    setup.tunnel.set_ssh_host("localhost").unwrap();
    setup.tunnel.set_firewall_type(firewall_type).unwrap();
    setup.tunnel.set_firewall_host("127.0.0.1").unwrap();
    setup.tunnel.set_firewall_port(proxy.server.address().port().into()).unwrap();
    (setup, proxy)
}

#[test]
fn each_type_of_proxy_is_spoken_to() {
    for (firewall_type, protocol, host) in [
        (1, "http", "localhost"),
        (2, "socks4", "127.0.0.1"),
        (3, "socks5", "127.0.0.1"),
        (10, "socks4a", "localhost"),
    ] {
        let (setup, proxy) = through(firewall_type, false);
        setup.tunnel.start_listening().unwrap();
        let mut stream = setup.connect();
        echo(&setup.tunnel, &mut stream, b"through a proxy");
        let [asked] = &proxy.asked()[..] else { panic!("{:?}", proxy.asked()) };
        let destination = format!("{host}:{}", setup.gateway.address().port());
        assert_eq!((asked.protocol, &asked.destination), (protocol, &destination));
    }
}

#[test]
fn a_star_has_the_proxy_look_the_server_up() {
    let (setup, proxy) = through(3, false);
    setup.tunnel.set_ssh_host("*inside.test").unwrap();
    setup.tunnel.start_listening().unwrap();
    assert!(proxy.asked()[0].destination.starts_with("inside.test:"));
}

#[test]
fn without_a_type_or_a_host_there_is_no_proxy() {
    let (setup, proxy) = through(0, false);
    setup.tunnel.start_listening().unwrap();
    let (other, unasked) = through(3, false);
    other.tunnel.set_firewall_host("").unwrap();
    other.tunnel.start_listening().unwrap();
    assert!(proxy.asked().is_empty() && unasked.asked().is_empty());
}

#[test]
fn the_settings_of_proxies_are_the_properties() {
    let (setup, proxy) = through(0, true);
    let port = proxy.server.address().port();
    for setting in [
        "FirewallType=3".to_owned(),
        "FirewallHost=localhost".to_owned(),
        format!("FirewallPort={port}"),
        format!("FirewallUser={}", CREDENTIALS.0),
        format!("FirewallPassword={}", CREDENTIALS.1),
    ] {
        setup.tunnel.config(&setting).unwrap();
    }
    let tunnel = &setup.tunnel;
    assert_eq!((tunnel.firewall_type(), tunnel.firewall_port()), (3, port.into()));
    assert_eq!((tunnel.firewall_host(), tunnel.firewall_user()), ("localhost".into(), CREDENTIALS.0.into()));
    tunnel.start_listening().unwrap();
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn the_type_sets_the_port() {
    let setup = Setup::new();
    for (firewall_type, port) in [(1, 80), (0, 80), (2, 1080), (1, 80), (3, 1080), (1, 80), (10, 1080)] {
        setup.tunnel.set_firewall_type(firewall_type).unwrap();
        assert_eq!(setup.tunnel.firewall_port(), port, "{firewall_type}");
        assert_eq!(setup.tunnel.config("FirewallPort").unwrap(), port.to_string());
    }
    assert_eq!(setup.tunnel.set_firewall_type(4).unwrap_err().code(), 10022);
    assert_eq!(setup.tunnel.config("FirewallType=20").unwrap_err().code(), 10022);
}

fn start_with(firewall_type: i64, user: &str, password: &str) -> (Result<(), Error>, Vec<Asked>) {
    let (setup, proxy) = through(firewall_type, true);
    setup.tunnel.set_firewall_user(user).unwrap();
    setup.tunnel.set_firewall_password(password).unwrap();
    (setup.tunnel.start_listening(), proxy.asked())
}

#[test]
fn a_proxy_may_ask_for_credentials() {
    for firewall_type in [1, 3] {
        let (result, asked) = start_with(firewall_type, CREDENTIALS.0, "wrong");
        assert!(result.is_err());
        let sent = asked.last().unwrap().credentials.clone().unwrap();
        assert_eq!(sent, (CREDENTIALS.0.to_owned(), "wrong".to_owned()));
        let (result, asked) = start_with(firewall_type, CREDENTIALS.0, CREDENTIALS.1);
        assert!(result.is_ok(), "{result:?} {asked:?}");
    }
}

#[test]
fn lines_are_added_to_the_request_to_an_http_proxy() {
    let (setup, proxy) = through(1, false);
    setup.tunnel.config("FirewallData=X-Ticket: a=b c").unwrap();
    setup.tunnel.start_listening().unwrap();
    let head = proxy.asked()[0].head.clone();
    assert!(head.contains("\r\nX-Ticket: a=b c\r\n"), "{head}");
}

#[test]
fn some_servers_need_no_proxy() {
    for (list, expected) in [("other.test; LOCAL*", 0), ("other.test", 1)] {
        let (setup, proxy) = through(3, false);
        setup.tunnel.config(&format!("ProxyExceptionsList={list}")).unwrap();
        setup.tunnel.start_listening().unwrap();
        assert_eq!(proxy.asked().len(), expected, "{list}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_told() {
    let (setup, _) = through(3, false);
    let (_refusing, address) = crate::support::nobody();
    setup.tunnel.set_firewall_port(address.port().into()).unwrap();
    assert!(setup.tunnel.start_listening().is_err());
    setup.tunnel.set_firewall_host("no-such-host.invalid").unwrap();
    let error = setup.tunnel.start_listening().unwrap_err();
    assert!(error.code() == 1036 && error.message().contains("no-such-host.invalid"), "{error}");
}

/// Set in a process of its own, where it holds the gateway's port.
const IN_CHILD: &str = "COMPONENT_TEST_GATEWAY_PORT";

#[test]
fn the_environment_names_the_proxy() {
    if let Ok(port) = std::env::var(IN_CHILD) {
        let tunnel = underpass_component::SshTunnel::new();
        tunnel.set_ssh_host("gateway.test").unwrap();
        tunnel.set_ssh_port(port.parse().unwrap()).unwrap();
        tunnel.set_ssh_user(USER).unwrap();
        tunnel.set_ssh_password(PASSWORD).unwrap();
        tunnel.set_local_host("127.0.0.1").unwrap();
        tunnel.config("SSHAcceptAnyServerHostKey=yes").unwrap();
        // Only the proxy knows the name.
        assert!(tunnel.start_listening().is_err());
        tunnel.config("FirewallAutoDetect=True").unwrap();
        assert!(tunnel.firewall_auto_detect());
        tunnel.start_listening().unwrap();
        return;
    }
    let setup = Setup::new();
    let proxy = Proxy::to(setup.gateway.address(), false);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxies::the_environment_names_the_proxy"])
        .env(IN_CHILD, setup.gateway.address().port().to_string())
        .env("ALL_PROXY", format!("socks5h://{}", proxy.server.address()))
        .env("NO_PROXY", "")
        .output();
    let output = child.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(proxy.asked()[0].destination.starts_with("gateway.test:"));
}
