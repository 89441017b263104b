//! Through somebody else's proxy.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use underpass_proxy::{
    Connector, ConnectorProgress as Progress, Headers, Host, ProxyError, ProxyKind, ProxyUrl, Resolve, Target,
};

use super::{ServerConnection, Transport, direct, tcp, tls};
use crate::error::Seconds;
use crate::session::Stream;
use crate::{Error, ErrorKind, Event, Settings, Step};

/// Bytes of a proxy's answer that are read at once.
const PIECE: usize = 1024;

/// Connects to the server through a proxy.
pub(super) async fn through(
    settings: &Settings,
    proxy: &ProxyUrl,
    headers: &Headers,
    deadline: Instant,
) -> Result<Transport, Error> {
    let target = target(settings, proxy, deadline).await?;
    let refused = |problem: String| Error::proxy(&settings.host, shown(proxy), problem);
    let silent = || refused(format!("it did not answer within {}", Seconds(settings.connect_timeout)));
    let stream = direct(settings, &name(proxy), proxy.port, deadline).await.map_err(|error| {
        // The proxy is out of reach, not the server.
        if let ErrorKind::Timeout { .. } = error.kind() {
            silent()
        } else {
            refused(error.kind().to_string())
        }
    })?;
    let connector =
        Connector::with_headers(proxy, &target, headers).map_err(|error| refused(error.to_string()))?;
    let greeted = timeout_at(deadline, greet(stream, proxy, connector)).await;
    let stream = greeted.map_err(|_| silent())?.map_err(refused)?;
    settings.tell(|| Event::Detail {
        level: 1,
        text: format!("connected to {target} through the proxy {}", shown(proxy)),
    });
    Ok(stream)
}

/// The proxy's name or address, without brackets.
fn name(proxy: &ProxyUrl) -> String {
    match &proxy.host {
        Host::Name(name) => name.clone(),
        Host::Ip(address) => address.to_string(),
    }
}

/// The proxy without its credentials.
fn shown(proxy: &ProxyUrl) -> String {
    ProxyUrl { credentials: None, ..proxy.clone() }.to_string()
}

/// What the proxy is asked for: the name where it looks names up, an address where we do.
async fn target(settings: &Settings, proxy: &ProxyUrl, deadline: Instant) -> Result<Target, Error> {
    let (host, port) = (&settings.host, settings.port);
    if let Ok(address) = host.parse() {
        return Ok(Target { host: Host::Ip(address), port });
    }
    if proxy.resolve() == Resolve::AtProxy {
        return Ok(Target { host: Host::Name(host.clone()), port });
    }
    let resolved = timeout_at(deadline, tcp::resolve(settings, host, port)).await;
    let addresses = resolved.map_err(|_| Error::timeout(Step::Resolve, host, settings.connect_timeout))??;
    let usable = |address: &IpAddr| proxy.kind != ProxyKind::Socks4 || address.is_ipv4();
    let address = addresses.iter().map(std::net::SocketAddr::ip).find(usable);
    let address = address.ok_or_else(|| Error::dial(host, Vec::new()))?;
    Ok(Target { host: Host::Ip(address), port })
}

async fn greet(stream: TcpStream, proxy: &ProxyUrl, mut connector: Connector) -> Result<Transport, String> {
    let ends = ServerConnection::of(&stream);
    if proxy.kind == ProxyKind::Https {
        let mut stream = tls::begin(stream, &name(proxy)).await?;
        let early = shake_hands(&mut stream, &mut connector).await?;
        return Ok(Transport { stream: Stream::Other(Box::new(stream)), early, ends });
    }
    let mut stream = stream;
    let early = shake_hands(&mut stream, &mut connector).await?;
    Ok(Transport { stream: stream.into(), early, ends })
}

/// Gives what came behind the proxy's answer.
async fn shake_hands(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    connector: &mut Connector,
) -> Result<Vec<u8>, String> {
    let in_words = |error: std::io::Error| error.to_string();
    let mut buffer = [0; PIECE];
    loop {
        let count = connector.transmit().len();
        if count > 0 {
            stream.write_all(connector.transmit()).await.map_err(in_words)?;
            stream.flush().await.map_err(in_words)?;
            connector.transmitted(count);
        }
        let count = stream.read(&mut buffer).await.map_err(in_words)?;
        if count == 0 {
            return Err(ProxyError::Closed.to_string());
        }
        match connector.receive(&buffer[..count]).map_err(|error| error.to_string())? {
            Progress::Connected => {
                // A proxy can answer ahead of the question.
                stream.write_all(connector.transmit()).await.map_err(in_words)?;
                stream.flush().await.map_err(in_words)?;
                return Ok(connector.take_early());
            }
            Progress::More => {}
        }
    }
}
