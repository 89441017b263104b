//! Connections that come from the server, for remote forwards: to a target of this machine's.

use std::io;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use underpass_proto::{Answer, ChannelId, QuestionId};
use underpass_wire::OpenFailureReason;

use crate::proxy_client::{self, Asked, outcome};
use crate::remote::Destination;
use crate::session::{Carry, Command, ConnectionInfo, Socket, Stream, last_words, pipe, splice, write_all};
use crate::{Endpoint, Error, Event, Settings, Target, tcp, unix};

/// A channel that the server wants to open, and whoever is to be told what becomes of it.
pub(crate) struct Arrival {
    pub(crate) question: QuestionId,
    pub(crate) channel: ChannelId,
    pub(crate) info: ConnectionInfo,
    pub(crate) settings: Arc<Settings>,
    pub(crate) commands: UnboundedSender<Command>,
    /// What it takes up of the number of connections that are allowed.
    pub(crate) place: OwnedSemaphorePermit,
}

impl Arrival {
    /// Connects it to its destination, on a task of its own.
    pub(crate) fn receive(self, destination: Destination) {
        tokio::spawn(async move {
            let closed = self.commands.clone();
            tokio::select! {
                () = self.connect(destination) => {}
                // A session that has ended meanwhile needs no answer.
                () = closed.closed() => {}
            }
        });
    }

    async fn connect(self, destination: Destination) {
        match destination {
            Destination::Fixed(target) => match dial(&self.settings, &target).await {
                Ok(socket) => self.attach(socket),
                Err(error) => {
                    tell_failure(&self.settings, &self.info, target, error);
                    self.answer(Answer::Open(Err(OpenFailureReason::CONNECT_FAILED)));
                }
            },
            Destination::Dynamic => {
                let (near, far) = pipe();
                let (settings, info) = (self.settings.clone(), self.info.clone());
                self.attach(Socket::forwarded(far));
                if let Err(problem) = ask(&settings, &info, Socket::forwarded(near)).await {
                    settings.tell(|| Event::Detail { level: 1, text: format!("{}: {problem}", info.peer) });
                }
            }
        }
    }

    fn attach(self, socket: Socket) {
        let Self { question, channel, info, commands, place, .. } = self;
        let carry = Carry { place: Some(place), ..Carry::plain(socket, info) };
        let _ = commands.send(Command::Attach(question, channel, Box::new(carry)));
    }

    fn answer(&self, answer: Answer) {
        let _ = self.commands.send(Command::Answer(self.question, answer));
    }
}

fn tell_failure(settings: &Settings, info: &ConnectionInfo, target: Endpoint, error: Error) {
    let (id, peer) = (info.id, info.peer.clone());
    settings.tell(|| Event::ConnectionFailed { id, peer, target, error });
}

/// Lets the client at the other end say where it wants to go, and goes there.
async fn ask(settings: &Settings, info: &ConnectionInfo, mut client: Socket) -> Result<(), String> {
    let Asked { target, acceptor, early } =
        proxy_client::negotiate(settings, &mut client).await.map_err(|error| error.kind().to_string())?;
    match dial(settings, &target).await {
        Ok(mut server) => {
            let greeted = async {
                write_all(&mut client, &acceptor.answer(underpass_proxy::Outcome::Connected)).await?;
                write_all(&mut server, &early).await
            };
            greeted.await.map_err(|error: io::Error| error.to_string())?;
            splice(client, server).await.map_err(|error| error.to_string())
        }
        Err(error) => {
            let reply = acceptor.answer(outcome(&error));
            tell_failure(settings, info, target, error);
            // Told as well as may be.
            let _ = timeout(settings.open_timeout, last_words(&mut client, &reply)).await;
            Ok(())
        }
    }
}

/// Connects to a target from this machine.
async fn dial(settings: &Settings, target: &Endpoint) -> Result<Socket, Error> {
    let connect = async {
        match target {
            Endpoint::Tcp(Target { host, port }) => tcp::connect(host, *port).await.map(Stream::from),
            Endpoint::Unix(path) => unix::connect(path).await,
            Endpoint::Undecided => Err(io::ErrorKind::InvalidInput.into()),
        }
    };
    let connected = timeout(settings.open_timeout, connect).await;
    let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let socket = Socket::forwarded(stream.map_err(|error| Error::target_unreachable(target, error))?);
    socket.configure(&settings.client_socket);
    Ok(socket)
}
