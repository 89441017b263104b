//! The gateway listens for its clients, as far as it is allowed to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use underpass::gateway::Gateway;
use underpass_proto::{
    Answer, ChannelId, ChannelKind, ClientConfig, Config, Connection, Credential, Error, Event, Question,
    Receiving, RemoteBind, RequestId, RequestOutcome,
};
use underpass_testkit::entropy::SeededEntropy;

use crate::support::{PASSWORD, USER, eventually, is_reset, loopback, within};

/// The engine on a socket: a client that does what a test says.
struct Client {
    engine: Connection,
    stream: TcpStream,
}

impl Client {
    async fn log_on(gateway: &Gateway) -> Self {
        let config = ClientConfig { common: Config::default(), user: USER.into() };
        let engine = Connection::client(config, Box::new(SeededEntropy::new(1)), Instant::now()).unwrap();
        let mut client = Self { engine, stream: TcpStream::connect(gateway.address()).await.unwrap() };
        loop {
            match client.event().await {
                Event::Authenticated => return client,
                Event::Question(id, Question::HostKey { .. }) => client.answer(id, Answer::HostKey(true)),
                Event::Question(id, Question::Credential { .. }) => {
                    client.answer(id, Answer::Credential(Credential::Password(PASSWORD.into())));
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, id: underpass_proto::QuestionId, answer: Answer) {
        assert!(self.engine.answer(id, answer, Instant::now()));
    }

    /// The next event; whatever is needed for it is written and read.
    async fn event(&mut self) -> Event {
        within(async {
            loop {
                if let Some(event) = self.engine.poll_event() {
                    return event;
                }
                self.flush().await.unwrap();
                match self.stream.read(self.engine.receive_space()).await {
                    Ok(0) | Err(_) => self.engine.received_end(Instant::now()),
                    Ok(count) => self.engine.received(count, Instant::now()),
                }
            }
        })
        .await
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.engine.transmit().is_empty() {
            let written = self.stream.write(self.engine.transmit()).await?;
            self.engine.transmitted(written);
        }
        Ok(())
    }

    async fn outcome(&mut self, asked: RequestId) -> RequestOutcome {
        match self.event().await {
            Event::RequestAnswered { request, outcome } if request == asked => outcome,
            other => panic!("{other:?}"),
        }
    }

    async fn request(&mut self, address: &str, port: u16) -> (RequestId, RequestOutcome) {
        let bind = RemoteBind::Tcp { address: address.to_owned(), port };
        let request = self.engine.request_forward(&bind, Instant::now()).unwrap();
        (request, self.outcome(request).await)
    }

    /// Has the gateway listen on a port that the system picks.
    async fn listen(&mut self) -> (RequestId, SocketAddr) {
        match self.request("localhost", 0).await {
            (forward, RequestOutcome::Granted { port: Some(port) }) => {
                (forward, (Ipv4Addr::LOCALHOST, port.get()).into())
            }
            (_, outcome) => panic!("{outcome:?}"),
        }
    }

    /// The next channel of the gateway, which is accepted.
    async fn accept(&mut self) -> (ChannelId, ChannelKind) {
        match self.event().await {
            Event::Question(id, Question::OpenChannel { channel, kind }) => {
                self.answer(id, Answer::Open(Ok(())));
                (channel, kind)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Sends back what comes on a channel, to its end.
    async fn echo(&mut self, channel: ChannelId) {
        while self.engine.receiving(channel).is_some() {
            let now = Instant::now();
            let held = self.engine.chunks(channel).collect::<Vec<_>>().concat();
            let mut rest = held.as_slice();
            loop {
                let mut count = 0;
                for slot in self.engine.slots(channel, rest.len()) {
                    slot.copy_from_slice(&rest[count..count + slot.len()]);
                    count += slot.len();
                }
                self.engine.commit(channel, count, now);
                rest = &rest[count..];
                if count == 0 {
                    break;
                }
            }
            self.engine.consume(channel, held.len() - rest.len(), now);
            if rest.is_empty() && self.engine.receiving(channel) != Some(Receiving::Open) {
                self.engine.finish(channel, now);
                self.engine.close(channel, now);
                return self.flush().await.unwrap();
            }
            self.event().await;
        }
    }
}

async fn gateway() -> Gateway {
    Gateway::builder()
        .allow_password(USER, PASSWORD)
        .allow_remote_forwards(|bind| bind.address == "localhost")
        .start(loopback())
        .await
        .unwrap()
}

#[tokio::test]
async fn what_connects_to_the_gateway_reaches_the_client_and_back() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    let (forward, address) = client.listen().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let originator = stream.local_addr().unwrap();
    let (channel, kind) = client.accept().await;
    let expected = ChannelKind::ForwardedTcpip {
        forward,
        address: "localhost".to_owned(),
        port: address.port(),
        originator: originator.ip().to_string(),
        originator_port: originator.port().into(),
    };
    assert_eq!(kind, expected);
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut from, mut to) = stream.split();
    let mut returned = Vec::new();
    let program = async {
        let upload = async {
            to.write_all(&sent).await.unwrap();
            to.shutdown().await.unwrap();
        };
        tokio::join!(upload, async { from.read_to_end(&mut returned).await.unwrap() });
    };
    within(async { tokio::join!(program, client.echo(channel)) }).await;
    assert!(returned == sent);
    eventually("it is over", || gateway.stats().open == 0).await;
    assert_eq!((gateway.stats().total, gateway.stats().sent), (1, sent.len() as u64));
}

#[tokio::test]
async fn what_is_not_allowed_or_not_to_be_had_is_refused() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    assert_eq!(client.request("", 0).await.1, RequestOutcome::Refused);
    assert_eq!(client.request("localhost", gateway.address().port()).await.1, RequestOutcome::Refused);
    let unix = RemoteBind::Unix { path: b"/tmp/socket".to_vec() };
    let request = client.engine.request_forward(&unix, Instant::now()).unwrap();
    assert_eq!(client.outcome(request).await, RequestOutcome::Refused);
    client.listen().await;
}

#[tokio::test]
async fn nobody_may_have_it_listen_by_default() {
    let gateway = Gateway::builder().allow_password(USER, PASSWORD).start(loopback()).await.unwrap();
    let mut client = Client::log_on(&gateway).await;
    assert_eq!(client.request("localhost", 0).await.1, RequestOutcome::Refused);
}

#[tokio::test]
async fn a_cancelled_forward_frees_its_port_and_keeps_its_connections() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    let (forward, address) = client.listen().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (channel, _) = client.accept().await;
    let cancel = client.engine.cancel_forward(forward, Instant::now()).unwrap();
    assert_eq!(client.outcome(cancel).await, RequestOutcome::Granted { port: None });
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(client.request("localhost", address.port()).await.1, RequestOutcome::Granted { port: None });
    stream.write_all(b"still here").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut returned = Vec::new();
    within(async { tokio::join!(client.echo(channel), stream.read_to_end(&mut returned)) }).await.1.unwrap();
    assert_eq!(returned, b"still here");
}

#[tokio::test]
async fn a_connection_that_the_client_does_not_take_is_reset() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    let (_, address) = client.listen().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let Event::Question(id, Question::OpenChannel { .. }) = client.event().await else { panic!() };
    client.answer(id, Answer::Open(Err(underpass::OpenFailureReason::CONNECT_FAILED)));
    client.flush().await.unwrap();
    assert!(within(is_reset(&mut stream)).await);
    assert_eq!((gateway.stats().total, gateway.stats().failed), (0, 1));
}

#[tokio::test]
async fn the_port_is_free_when_the_session_has_ended() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    let (_, address) = client.listen().await;
    drop(client.stream);
    eventually("nobody listens", || std::net::TcpStream::connect(address).is_err()).await;
}

#[tokio::test]
async fn a_gateway_that_stops_stops_listening() {
    let gateway = gateway().await;
    let mut client = Client::log_on(&gateway).await;
    let (_, address) = client.listen().await;
    gateway.stop();
    let end = client.event().await;
    assert!(matches!(end, Event::Closed(Error::Disconnected { .. } | Error::Lost)), "{end:?}");
    eventually("nobody listens", || std::net::TcpStream::connect(address).is_err()).await;
}
