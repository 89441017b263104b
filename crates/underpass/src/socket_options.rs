use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// What is set on a TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Whether small packets leave at once (`TCP_NODELAY`). They are keystrokes, queries and acknowledgements.
    /// Default: yes.
    pub nodelay: bool,
    /// The size of the system's buffer for sending, in bytes. `None`: the system chooses, and adapts it. Default: `None`.
    pub send_buffer: Option<usize>,
    /// The size of the system's buffer for receiving, in bytes. `None`: the system chooses, and adapts it. Default:
    /// `None`.
    pub receive_buffer: Option<usize>,
    /// Whether the system asks a silent peer for signs of life (`SO_KEEPALIVE`). Default: yes.
    pub keepalive: bool,
    /// After which silence it asks. `None`: the system's setting, usually two hours. Default: `None`.
    pub keepalive_time: Option<Duration>,
    /// How long it waits for an answer before it asks again. `None`: the system's setting. Default: `None`.
    pub keepalive_interval: Option<Duration>,
    /// How often it asks before it gives up. `None`: the system's setting. Default: `None`.
    pub keepalive_count: Option<u32>,
    /// How long closing may wait for what was sent to arrive (`SO_LINGER`). `None`: it goes on in the background.
    /// Default: `None`.
    pub linger: Option<Duration>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            send_buffer: None,
            receive_buffer: None,
            keepalive: true,
            keepalive_time: None,
            keepalive_interval: None,
            keepalive_count: None,
            linger: None,
        }
    }
}

impl SocketOptions {
    /// Sets them on a socket, best before it is connected.
    pub(crate) fn apply(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_tcp_nodelay(self.nodelay)?;
        if let Some(size) = self.send_buffer {
            socket.set_send_buffer_size(size)?;
        }
        if let Some(size) = self.receive_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        match self.keepalive {
            true => socket.set_tcp_keepalive(&self.keepalive())?,
            false => socket.set_keepalive(false)?,
        }
        if self.linger.is_some() {
            socket.set_linger(self.linger)?;
        }
        Ok(())
    }

    fn keepalive(&self) -> TcpKeepalive {
        let mut keepalive = TcpKeepalive::new();
        if let Some(time) = self.keepalive_time {
            keepalive = keepalive.with_time(time);
        }
        if let Some(interval) = self.keepalive_interval {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(count) = self.keepalive_count {
            keepalive = keepalive.with_retries(count);
        }
        keepalive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_back_from_the_system() {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let options = SocketOptions {
            nodelay: false,
            receive_buffer: Some(65536),
            keepalive_time: Some(Duration::from_secs(77)),
            keepalive_interval: Some(Duration::from_secs(7)),
            keepalive_count: Some(4),
            linger: Some(Duration::from_secs(3)),
            ..SocketOptions::default()
        };
        options.apply(&SockRef::from(&socket)).unwrap();
        assert!(!socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(7));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
        assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(3)));
        assert!(socket.recv_buffer_size().unwrap() >= 65536);
    }
}
