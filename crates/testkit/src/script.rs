//! SSH servers that go wrong before the first key exchange.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// What a server does to every client that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Accepts and says nothing.
    Silent,
    /// Identifies itself, then says nothing.
    SilentAfterBanner,
    /// Identifies itself, sends its KEXINIT, then says nothing.
    SilentAfterKexInit,
    /// Sends an identification that never ends, a byte at a time.
    DripBanner,
    /// Sends lines before its identification without end (RFC 4253 §4.2 allows some).
    EndlessLines,
    /// Identifies itself, then sends IGNORE without end.
    EndlessIgnore,
    /// Answers as an HTTP server does to a request that it cannot read.
    Http,
    /// Closes at once.
    CloseAtOnce,
    /// Offers protocol 1.5 only.
    Ssh1Only,
    /// Turns the client away as an OpenSSH server does that is above its `MaxStartups`.
    MaxStartups,
}

impl Script {
    /// Every script.
    pub const ALL: &[Self] = &[
        Self::Silent,
        Self::SilentAfterBanner,
        Self::SilentAfterKexInit,
        Self::DripBanner,
        Self::EndlessLines,
        Self::EndlessIgnore,
        Self::Http,
        Self::CloseAtOnce,
        Self::Ssh1Only,
        Self::MaxStartups,
    ];

    /// Starts it on a loopback port of its own.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn start(self) -> io::Result<Server> {
        Server::start(move |stream| self.play(stream))
    }

    async fn play(self, mut stream: TcpStream) -> io::Result<()> {
        match self {
            Self::Silent => {}
            Self::SilentAfterBanner => stream.write_all(BANNER).await?,
            Self::SilentAfterKexInit => {
                stream.write_all(BANNER).await?;
                stream.write_all(&packet(&kex_init())).await?;
            }
            Self::DripBanner => return drip(stream).await,
            Self::EndlessLines => return repeat(stream, b"", b"Welcome. Please wait.\r\n").await,
            Self::EndlessIgnore => return repeat(stream, BANNER, &packet(&ignore())).await,
            Self::Http => {
                stream.write_all(BAD_REQUEST).await?;
                return stream.shutdown().await;
            }
            Self::CloseAtOnce => return Ok(()),
            Self::Ssh1Only => stream.write_all(b"SSH-1.5-old\n").await?,
            Self::MaxStartups => {
                stream.write_all(b"Exceeded MaxStartups\r\n").await?;
                return stream.shutdown().await;
            }
        }
        swallow(stream).await
    }
}

/// Reads until the client gives up, so that it is never the one to find the connection broken.
async fn swallow(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn drip(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"SSH-2.0-").await?;
    loop {
        tokio::time::sleep(DRIP_INTERVAL).await;
        stream.write_all(b"x").await?;
    }
}

async fn repeat(mut stream: TcpStream, first: &[u8], again: &[u8]) -> io::Result<()> {
    stream.write_all(first).await?;
    loop {
        stream.write_all(again).await?;
    }
}

/// A KEXINIT (RFC 4253 §7.1) that any client of today finds common algorithms in.
fn kex_init() -> Vec<u8> {
    let mut message = vec![SSH_MSG_KEXINIT];
    message.extend([0x42; 16]);
    for names in KEX_INIT_LISTS {
        push_string(&mut message, names.as_bytes());
    }
    message.push(0); // first_kex_packet_follows
    message.extend(0u32.to_be_bytes());
    message
}

fn ignore() -> Vec<u8> {
    let mut message = vec![SSH_MSG_IGNORE];
    push_string(&mut message, &[b'.'; 64]);
    message
}

fn push_string(message: &mut Vec<u8>, bytes: &[u8]) {
    message.extend((bytes.len() as u32).to_be_bytes());
    message.extend(bytes);
}

/// The binary packet of a message before any key exchange (RFC 4253 §6): padded to a multiple of 8 bytes with at
/// least 4.
fn packet(message: &[u8]) -> Vec<u8> {
    let unpadded = 4 + 1 + message.len();
    let padding = 4 + (8 - (unpadded + 4) % 8) % 8;
    let mut packet = Vec::with_capacity(unpadded + padding);
    packet.extend(((1 + message.len() + padding) as u32).to_be_bytes());
    packet.push(padding as u8);
    packet.extend(message);
    packet.resize(unpadded + padding, 0);
    packet
}

const BANNER: &[u8] = b"SSH-2.0-scripted\r\n";
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const SSH_MSG_IGNORE: u8 = 2;
const SSH_MSG_KEXINIT: u8 = 20;

/// The ten name-lists in their order on the wire.
const KEX_INIT_LISTS: [&str; 10] = [
    "curve25519-sha256,ecdh-sha2-nistp256",
    "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512",
    "aes128-gcm@openssh.com,aes128-ctr",
    "aes128-gcm@openssh.com,aes128-ctr",
    "hmac-sha2-256",
    "hmac-sha2-256",
    "none",
    "none",
    "",
    "",
];

/// Far below any sensible limit on inactivity, and slow enough that the 255 bytes which RFC 4253 §4.2 allows an
/// identification outlast every deadline of the tests.
const DRIP_INTERVAL: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_multiples_of_eight_with_padding_within_its_limits() {
        for length in 1..100 {
            let packet = packet(&vec![7; length]);
            let padding = usize::from(packet[4]);
            assert_eq!(packet.len() % 8, 0);
            assert!((4..=255).contains(&padding));
            assert_eq!(u32::from_be_bytes(packet[..4].try_into().unwrap()) as usize, packet.len() - 4);
            assert_eq!(packet.len(), 5 + length + padding);
        }
    }

    #[tokio::test]
    async fn the_scripts_that_close_do_so_after_their_words() {
        for (script, words) in [
            (Script::Http, BAD_REQUEST),
            (Script::CloseAtOnce, b"".as_slice()),
            (Script::MaxStartups, b"Exceeded MaxStartups\r\n"),
        ] {
            let server = script.start().unwrap();
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, words, "{script:?}");
        }
    }

    #[tokio::test]
    async fn the_scripts_that_speak_first_begin_as_they_should() {
        for (script, words) in [
            (Script::SilentAfterBanner, BANNER),
            (Script::SilentAfterKexInit, b"SSH-2.0-scripted\r\n\0\0\0".as_slice()),
            (Script::DripBanner, b"SSH-2.0-xx"),
            (Script::EndlessLines, b"Welcome. Please wait.\r\nWelcome."),
            (Script::EndlessIgnore, b"SSH-2.0-scripted\r\n\0\0\0"),
            (Script::Ssh1Only, b"SSH-1.5-old\n"),
        ] {
            let server = script.start().unwrap();
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            let mut heard = vec![0; words.len()];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, words, "{script:?}");
        }
    }
}
