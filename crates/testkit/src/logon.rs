//! An SSH server that is an engine behind a socket, for the logons that no server of others, nor the gateway, can be made
//! to ask for.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use underpass_crypto::Signer;
use underpass_crypto::algorithms::ed25519::Ed25519Key;
pub use underpass_proto::{Answer, Attempt, Prompt, Prompts, Question, Verdict};
use underpass_proto::{Config, Connection, Event, ServerConfig};

use crate::entropy::SeededEntropy;
use crate::server::Server;

/// Starts one that asks `answer` about everything, for each client.
///
/// # Errors
/// What the operating system says to binding.
pub fn start(answer: impl Fn(&Question) -> Option<Answer> + Clone + Send + 'static) -> io::Result<Server> {
    Server::start(move |stream| serve(stream, answer.clone()))
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&Question) -> Option<Answer>) -> io::Result<()> {
    let host_key = Arc::new(Ed25519Key::generate(&mut SeededEntropy::new(1)));
    let config = ServerConfig { common: Config::default(), host_keys: vec![host_key as Arc<dyn Signer>] };
    let engine = Connection::server(config, Box::new(SeededEntropy::new(2)), Instant::now());
    let mut engine = engine.map_err(io::Error::other)?;
    loop {
        while let Some(event) = engine.poll_event() {
            if let Event::Question(id, question) = event
                && let Some(answer) = answer(&question)
            {
                engine.answer(id, answer, Instant::now());
            }
        }
        let written = engine.transmit().len();
        stream.write_all(engine.transmit()).await?;
        engine.transmitted(written);
        if engine.is_closed() {
            return Ok(());
        }
        if written == 0 {
            match stream.read(engine.receive_space()).await? {
                0 => return Ok(()),
                count => engine.received(count, Instant::now()),
            }
        }
    }
}
